/**
 * Two profiles, and what was decided about them, as one HTML file that needs no network and runs nothing but its own script.
 * Names come from other people's processes: they enter the page as escaped text or as escaped JSON, nowhere else, and the content
 * security policy admits the page's own script and style by hash only.
 */
import {
  DIFF_PAGE_SCRIPT,
  DIFF_PAGE_SCRIPT_HASH,
  DIFF_PAGE_STYLE,
  DIFF_PAGE_STYLE_HASH,
} from './diff-page-assets.ts';
import { measureText } from './flame-measure.ts';
import { escapeHtml, escapeJson } from './html.ts';
import { type IntervalRow, intervalChart, toneOf } from './interval-chart.ts';
import { type LatencyChart, latencyChart } from './latency-chart.ts';
import { type PageData, type PageSides, pageData, type ViewInput } from './page-data.ts';
import { pageFile } from './page-file.ts';
import { NOWHERE } from './place.ts';
import { type Timeline, timelineChart } from './timeline-chart.ts';

export interface DiffPageInput {
  readonly title: string;
  readonly subtitle: string;
  /** The first is shown first; none: what was sampled is no longer known. */
  readonly views: readonly ViewInput[];
  /** Why there is nothing to show, where there are no views. */
  readonly noViews?: string;
  readonly verdict?: string | undefined;
  /** What was compared: label and value. */
  readonly facts?: readonly (readonly [string, string])[];
  /** Other pages: of the same origin, where the source is, or where the install says. */
  readonly links?: readonly PageLink[];
  readonly checks?: readonly IntervalRow[];
  readonly latency?: LatencyChart | undefined;
  readonly timeline?: Timeline | undefined;
  /** Functions that a verdict names, the worst first; marked in the graph. */
  readonly culprits?: readonly PageCulprit[];
  /** What they are called where they are no culprits: "Grew at the same time". */
  readonly culpritsTitle?: string;
  /** Begin with stacks as they were sampled; a reader can still fold them. */
  readonly beginsRaw?: boolean;
  /** What the two are called; without it, baseline and canary. */
  readonly sides?: PageSides;
  /** What a verdict rests on, on demand. */
  readonly tables?: readonly PageTable[];
}

export interface PageLink {
  readonly href: string;
  readonly text: string;
  /** Of another origin: it learns nothing of this page, and is asked for nothing until somebody follows the link. */
  readonly isElsewhere?: boolean;
}

export interface PageTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below it. */
  readonly notes: readonly string[];
}

export interface PageCulprit {
  readonly name: string;
  /** As place.ts has it. */
  readonly place: string;
  /** New, Grown, Moved. */
  readonly kind: string;
  /** What it costs, in a line. */
  readonly text: string;
}

const ARMS: PageSides = { baseline: 'baseline', canary: 'canary' };
const NO_CULPRITS: readonly PageCulprit[] = [];

/** One self-contained page. Throws a ProfileError for counts that nobody can draw. */
export function renderDiffPage(input: DiffPageInput): string {
  const { culprits = NO_CULPRITS, sides = ARMS, beginsRaw = false } = input;
  const data = pageData({ views: input.views, sides, culprits: culprits.map(({ name }) => name), beginsRaw });
  const body = `<a class="skip" href="#graph">To the flame graph</a>
${header(input)}
${culpritList(input)}
${charts(input, sides)}
${data.views.length === 0 ? nothingToDraw(input.noViews) : graph(data, sides)}
${tables(input.tables ?? [])}
<script type="application/json" id="data">${escapeJson(data)}</script>
<script>${DIFF_PAGE_SCRIPT}</script>`;
  return pageFile({
    title: input.title,
    body,
    style: DIFF_PAGE_STYLE,
    policy: { script: DIFF_PAGE_SCRIPT_HASH, style: DIFF_PAGE_STYLE_HASH },
  });
}

function header({ title, subtitle, verdict, facts = [], links = [] }: DiffPageInput): string {
  const badge =
    verdict === undefined ? '' : `<span class="badge large ${toneOf(verdict)}">${escapeHtml(verdict)}</span>`;
  const rows = facts.map(
    ([label, value]) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  const own = links.filter(({ isElsewhere }) => isElsewhere !== true);
  const others = links.filter(({ isElsewhere }) => isElsewhere === true);
  return `<header>${navigation('Other pages', own)}
<div class="heading">${badge}<h1>${escapeHtml(title)}</h1></div>
<p class="sentence">${escapeHtml(subtitle)}</p>${rows.length === 0 ? '' : `<dl class="facts">${rows.join('')}</dl>`}${navigation('Elsewhere', others)}</header>`;
}

const navigation = (label: string, links: readonly PageLink[]): string =>
  links.length === 0 ? '' : `<nav aria-label="${label}">${links.map(anchor).join(' ')}</nav>`;

const anchor = ({ href, text, isElsewhere }: PageLink): string =>
  `<a href="${escapeHtml(href)}"${isElsewhere === true ? ' target="_blank" rel="noopener noreferrer"' : ''}>${escapeHtml(text)}</a>`;

function culpritList({ culprits = NO_CULPRITS, culpritsTitle = 'What grew' }: DiffPageInput): string {
  if (culprits.length === 0) return '';
  const items = culprits.map(({ name, place, kind, text }, at) => {
    const where = place === NOWHERE ? '' : ` <span class="place">${escapeHtml(place)}</span>`;
    return `<li><button type="button" class="function" data-culprit="${at}"><bdi>${escapeHtml(name)}</bdi></button>${where} <span class="kind">${escapeHtml(kind)}</span><span class="text">${escapeHtml(text)}</span></li>`;
  });
  return `<section class="culprits" aria-labelledby="culprits-title"><h2 id="culprits-title">${escapeHtml(culpritsTitle)}</h2><ol>${items.join('')}</ol></section>`;
}

function charts({ checks = [], latency, timeline }: DiffPageInput, sides: PageSides): string {
  const key = `<p class="key"><span class="swatch baseline"></span>${escapeHtml(sides.baseline)} (dashed) <span class="swatch canary"></span>${escapeHtml(sides.canary)} (solid)</p>`;
  const boxes = [
    ...(latency === undefined
      ? []
      : [
          `<figure><figcaption><h2>How long requests took</h2>${key}</figcaption>${latencyChart(latency)}</figure>`,
        ]),
    ...(timeline === undefined || timeline.series.length === 0
      ? []
      : [
          `<figure><figcaption><h2>While it was watched</h2>${key}</figcaption>${timelineChart(timeline)}</figure>`,
        ]),
  ];
  const compared =
    checks.length === 0
      ? ''
      : `<section class="compared"><h2>What was compared</h2><div class="wide" tabindex="0" role="region" aria-label="Checks">${intervalChart(checks)}</div></section>`;
  return `${compared}${boxes.length === 0 ? '' : `<div class="figures">${boxes.join('')}</div>`}`;
}

const nothingToDraw = (why = 'There are no samples to draw.'): string =>
  `<main id="graph" class="nothing"><p>${escapeHtml(why)}</p></main>`;

function graph(data: PageData, sides: PageSides): string {
  const [baseline, canary] = [titled(sides.baseline), titled(sides.canary)].map(escapeHtml);
  const unit = '<span class="unit">%</span>';
  return `<main id="graph" tabindex="-1">
<h2 class="hidden">Flame graph of both, one over the other</h2>
${tools(data, sides)}
<div class="stage"><div class="pictures">
<section class="picture" id="whole"><h3 class="hidden" id="whole-title">All stacks</h3><div class="scroller"><canvas id="canvas" tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Flame graph of ${escapeHtml(sides.baseline)} and ${escapeHtml(sides.canary)}: arrow keys move, Enter zooms, Escape zooms out" aria-describedby="status"></canvas><div class="spacer"></div></div><p class="empty" hidden></p></section>
<section class="picture" id="callers" hidden><h3>Who calls <b class="of"></b></h3><div class="scroller"><canvas tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Callers: arrow keys move, Escape closes" aria-describedby="status"></canvas><div class="spacer"></div></div></section>
<section class="picture" id="callees" hidden><h3>What <b class="of"></b> calls</h3><div class="scroller"><canvas tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Callees: arrow keys move, Escape closes" aria-describedby="status"></canvas><div class="spacer"></div></div></section>
</div>
<aside aria-label="Functions"><div class="wide" tabindex="0" role="region" aria-label="Functions by change"><table id="functions"><caption class="hidden">Every function of both: its own cost, how that changed, and how it changed with what it calls</caption>
<thead><tr><th scope="col"><button type="button" data-sort="name">Function</button></th><th scope="col"><button type="button" data-sort="baselineSelf">${baseline}, ${unit}</button></th><th scope="col"><button type="button" data-sort="canarySelf">${canary}, ${unit}</button></th><th scope="col" aria-sort="descending"><button type="button" data-sort="selfChange">Change</button></th><th scope="col"><button type="button" data-sort="totalChange">With callees</button></th></tr></thead><tbody></tbody></table></div><p id="more" class="note"></p></aside></div>
<div id="tooltip" class="tooltip" aria-hidden="true"></div>
<div class="bar"><span id="status" role="status" aria-live="polite"></span></div>
${legend(sides)}
${withoutScript(data, sides)}
</main>`;
}

function tools({ views, beginsRaw }: PageData, sides: PageSides): string {
  const groups = [...Map.groupBy(views, ({ group }) => group)];
  const options = groups.map(
    ([group, ofGroup]) =>
      `<optgroup label="${escapeHtml(group)}">${ofGroup.map(({ id, label }) => `<option value="${escapeHtml(id)}">${escapeHtml(label)}</option>`).join('')}</optgroup>`,
  );
  const show = `<label class="group">Show <select id="view">${options.join('')}</select></label>`;
  const units = `<span class="group" role="group" aria-label="Unit" id="units"><button type="button" data-unit="perRequest" aria-pressed="true" title="Milliseconds of one request, mean over all ( u )">a request</button><button type="button" data-unit="share" aria-pressed="false" title="Share of all samples of each side ( u )">share</button></span>`;
  const widths = (['both', 'canary', 'baseline'] as const)
    .map(
      (basis) =>
        `<button type="button" data-width="${basis}" aria-pressed="${basis === 'both'}">${escapeHtml(basis === 'both' ? 'larger' : sides[basis])}</button>`,
    )
    .join('');
  const foldable = views.some(({ folded }) => folded !== undefined);
  const fold = `<button type="button" id="fold" aria-pressed="${!beginsRaw}" aria-keyshortcuts="m" title="Leave out the frames of coroutines, pipelines and threads that only pass calls on ( m )">Fold machinery</button>`;
  return `<div class="tools" role="toolbar" aria-label="Flame graph">
<label class="search"><span class="hidden">Search functions, by a regular expression</span><input id="search" type="search" placeholder="Search functions ( / )" autocomplete="off" spellcheck="false"></label><span class="found" id="found" role="status"></span>
${views.length > 1 ? show : ''}${views.some(({ costs }) => costs !== undefined) ? units : ''}
<span class="group" role="group" aria-label="Width of a frame"><span class="label">width</span>${widths}</span>
<button type="button" id="only" aria-pressed="false" aria-keyshortcuts="c" title="Only what changed by more than noise; then the width is the change ( c )">Only changes</button>${foldable ? fold : ''}
<button type="button" id="sandwich" disabled aria-keyshortcuts="s" title="Callers and callees of the function in focus ( s )">Callers, callees</button><button type="button" id="reset" disabled>Zoom out</button></div>`;
}

const legend = ({
  baseline,
  canary,
}: PageSides): string => `<details class="legend" open><summary>Legend and keys</summary>
<ul><li><span class="swatch grew"></span>+ more in ${escapeHtml(canary)}</li><li><span class="swatch shrank"></span>− more in ${escapeHtml(baseline)}</li><li><span class="swatch new"></span>NEW in ${escapeHtml(canary)} only</li><li><span class="swatch gone"></span>GONE: in ${escapeHtml(baseline)} only</li><li><span class="swatch same"></span>within noise</li><li><b>◆</b> named by the verdict</li></ul>
<ul><li><b>↩</b> async caller, suspended</li><li><b>≈</b> inlined at a safepoint</li><li><b>K</b> kernel</li><li><b>GC</b> collector</li><li><b>VM</b> the JVM</li><li><b>C</b> native library</li><li><b>W</b> waited for</li></ul>
<ul><li><kbd>↑</kbd><kbd>↓</kbd><kbd>←</kbd><kbd>→</kbd> move</li><li><kbd>Enter</kbd> zoom</li><li><kbd>Esc</kbd> out</li><li><kbd>/</kbd> search</li><li><kbd>n</kbd> <kbd>p</kbd> next, previous match</li><li><kbd>s</kbd> callers and callees</li><li><kbd>c</kbd> only changes</li><li><kbd>u</kbd> unit</li><li><kbd>w</kbd> width</li><li><kbd>m</kbd> machinery</li></ul></details>`;

const ROWS_WITHOUT_SCRIPT = 40;

function withoutScript({ views, names, beginsRaw }: PageData, sides: PageSides): string {
  const [view] = views;
  const flame = beginsRaw ? view?.raw : (view?.folded ?? view?.raw);
  if (flame === undefined) return '';
  const { tree, functions } = flame;
  const share = (count = 0, all = 0): number => (all === 0 ? 0 : count / all);
  const text = measureText('share', 1);
  const rows = functions.name.slice(0, ROWS_WITHOUT_SCRIPT).map((name, row) => {
    const before = share(functions.baselineSelf[row], tree.baseline[0]);
    const after = share(functions.canarySelf[row], tree.canary[0]);
    return [names[name] ?? '', text.value(before), text.value(after), text.delta(after - before)];
  });
  const header = ['Function', `${titled(sides.baseline)}, self`, `${titled(sides.canary)}, self`, 'Change'];
  const table = { title: 'What changed most, by function', header, rows, notes: [] };
  return `<noscript><p class="note">The picture needs JavaScript; this table does not.</p>${renderTable(table)}</noscript>`;
}

const tables = (list: readonly PageTable[]): string =>
  list.length === 0
    ? ''
    : `<details class="rests"><summary>What the verdict rests on</summary>${list.map(renderTable).join('')}</details>`;

function renderTable({ title, header: head, rows, notes }: PageTable): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  const table =
    rows.length === 0
      ? ''
      : `<div class="wide" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table class="plain"><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`;
  const sentences = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('');
  return `<section><h3>${escapeHtml(title)}</h3>${table}${sentences}</section>`;
}

const titled = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
