/**
 * The diff flame graph as one HTML file that needs no network and runs nothing but its own script.
 * Names come from other people's processes: they enter the page as escaped text or as escaped JSON, nowhere else,
 * and the content security policy admits the page's own script and style by hash only.
 */
import { diffTree } from './diff.ts';
import {
  DIFF_PAGE_SCRIPT,
  DIFF_PAGE_SCRIPT_HASH,
  DIFF_PAGE_STYLE,
  DIFF_PAGE_STYLE_HASH,
} from './diff-page-assets.ts';
import { foldingOf } from './folding.ts';
import { type FunctionChange, functionChanges } from './function-changes.ts';
import { NOWHERE } from './place.ts';
import type { StackCount } from './stack-counts.ts';

export interface DiffPageInput {
  readonly title: string;
  readonly subtitle: string;
  readonly baseline: readonly StackCount[];
  readonly canary: readonly StackCount[];
  /** What the threads of both waited for; a reader can look at it instead. */
  readonly waiting?: Pick<DiffPageInput, 'baseline' | 'canary'> | undefined;
  /** And where their slow reads and writes, and their syncs, took the time. */
  readonly io?: Pick<DiffPageInput, 'baseline' | 'canary'> | undefined;
  /** The function a verdict names; marked in the graph. */
  readonly culprit?: PageCulprit;
  /** Begin with stacks as they were sampled; a reader can still fold them. */
  readonly beginsRaw?: boolean;
  /** What the two are called; without it, baseline and canary. */
  readonly sides?: PageSides;
  /** What a verdict rests on: the first table is shown at once, the others on demand. */
  readonly report?: readonly PageTable[];
}

export interface PageTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below it. */
  readonly notes: readonly string[];
}

export interface PageSides {
  readonly baseline: string;
  readonly canary: string;
}

const ARMS: PageSides = { baseline: 'baseline', canary: 'canary' };

export interface PageCulprit {
  readonly name: string;
  /** As place.ts has it. */
  readonly place: string;
  /** What it is called, where it is no culprit: "Grew at the same time". */
  readonly label?: string;
}

/** What the page's script reads from the element with the id "data". */
export interface DiffPageData extends PageStacks {
  readonly beginsRaw: boolean;
  readonly sides: PageSides;
  /** Missing where it is not known. */
  readonly waiting: PageStacks | undefined;
  readonly io: PageStacks | undefined;
}

export interface PageStacks {
  readonly raw: PageFlame;
  /** Missing where there is nothing to fold. */
  readonly folded: PageFlame | undefined;
}

export interface PageFlame {
  readonly tree: ReturnType<typeof diffTree>;
  readonly culprit: string | undefined;
}

/** One way to see both profiles. */
interface View {
  readonly flame: PageFlame;
  readonly changes: readonly FunctionChange[];
}

const CHANGES_SHOWN = 40;
const POLICY = [
  "default-src 'none'",
  `script-src '${DIFF_PAGE_SCRIPT_HASH}'`,
  `style-src '${DIFF_PAGE_STYLE_HASH}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** One self-contained page. Shares are of each profile's own samples, so profiles of different length compare. */
export function renderDiffPage(input: DiffPageInput): string {
  const raw = viewOf(input, input.culprit?.name);
  const folded = foldedView(input);
  const first = input.beginsRaw === true ? raw : (folded ?? raw);
  const data: DiffPageData = {
    ...{ raw: raw.flame, folded: folded?.flame, beginsRaw: first === raw },
    sides: input.sides ?? ARMS,
    waiting: input.waiting && stacksOf(input.waiting),
    io: input.io && stacksOf(input.io),
  };
  // The verdict is about the function as it was sampled, so its figures are too.
  const culprit = raw.changes.find(({ name }) => name === input.culprit?.name);
  const [summary, ...details] = input.report ?? [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(input.title)}</title>
<style>${DIFF_PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(input.title)}</h1>
<p class="subtitle">${escapeHtml(input.subtitle)}</p>
${culprit === undefined ? '' : renderCulprit({ ...culprit, name: first.flame.culprit ?? '' }, input.culprit)}
${summary === undefined ? '' : `<div class="report">${renderReportTable(summary)}</div>`}
</header>
${renderTools(data)}
<main>
<div id="scroller"><canvas id="canvas" tabindex="0" role="application" aria-roledescription="flame graph" aria-label="Diff flame graph: arrow keys move, Enter zooms, Escape zooms out" aria-describedby="status"></canvas><div id="spacer"></div></div>
<div id="tooltip" class="tooltip" aria-hidden="true"></div>
</main>
<footer>
<div class="bar"><span id="status" role="status" aria-live="polite">Width is the share of CPU, colour the change. Click or Enter zooms, Escape zooms out, / searches, arrow keys move${folded === undefined ? '' : ', m folds'}.</span>
<span class="legend">shrank <span class="ramp"></span> grew · grey: within sampling noise</span></div>
<noscript><p class="note">The graph needs JavaScript; the table below does not.</p></noscript>
${details.length === 0 ? '' : `<details><summary>What the verdict rests on</summary><div class="report details">${details.map(renderReportTable).join('')}</div></details>`}
${renderChanges(raw, folded, data)}
</footer>
<script type="application/json" id="data">${escapeJson(data)}</script>
<script>${DIFF_PAGE_SCRIPT}</script>
</body>
</html>
`;
}

const stacksOf = (input: Pick<DiffPageInput, 'baseline' | 'canary'>): PageStacks => ({
  raw: viewOf(input).flame,
  folded: foldedView(input)?.flame,
});

function viewOf({ baseline, canary }: Pick<DiffPageInput, 'baseline' | 'canary'>, culprit?: string): View {
  return { flame: { tree: diffTree(baseline, canary), culprit }, changes: functionChanges(baseline, canary) };
}

function foldedView({
  baseline,
  canary,
  culprit,
}: Pick<DiffPageInput, 'baseline' | 'canary' | 'culprit'>): View | undefined {
  const { fold, nameOf } = foldingOf(baseline, canary);
  const folded = { baseline: baseline.map(fold), canary: canary.map(fold) };
  const isSame = (before: readonly StackCount[], after: readonly StackCount[]) =>
    before.every(({ frames }, i) => frames.join('\0') === after[i]?.frames.join('\0'));
  if (isSame(baseline, folded.baseline) && isSame(canary, folded.canary)) return undefined;
  return viewOf(folded, culprit && nameOf(culprit.name));
}

function renderTools({ folded, beginsRaw, waiting, io, sides }: DiffPageData): string {
  const wait = `<button type="button" id="by-waiting" aria-pressed="false" title="What threads waited for while they did not run">Waiting</button>`;
  const slow = `<button type="button" id="by-io" aria-pressed="false" title="Where slow reads and writes, and syncs of files, took the time">I/O</button>`;
  const views = `<span class="group" role="group" aria-label="What is shown"><button type="button" id="by-cpu" aria-pressed="true">CPU</button>${waiting === undefined ? '' : wait}${io === undefined ? '' : slow}</span>`;
  const fold = `<button type="button" id="fold" aria-pressed="${!beginsRaw}" aria-keyshortcuts="m" title="Leave out the frames of coroutines, pipelines and threads that only pass calls on ( m )">Fold machinery</button>`;
  return `<div class="tools">
<label class="group"><span class="hidden">Search functions</span><input id="search" type="search" placeholder="Search functions  ( / )" autocomplete="off" spellcheck="false"></label>
<span class="group" role="group" aria-label="Width">Width <button type="button" id="by-canary" aria-pressed="true">${escapeHtml(titled(sides.canary))}</button><button type="button" id="by-baseline" aria-pressed="false">${escapeHtml(titled(sides.baseline))}</button></span>
${waiting === undefined && io === undefined ? '' : views}
${folded === undefined && waiting?.folded === undefined && io?.folded === undefined ? '' : fold}
<button type="button" id="reset" disabled>Zoom out</button>
<span class="found" id="found" role="status"></span>
</div>`;
}

function renderReportTable({ title, header, rows, notes }: PageTable): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]): string =>
    `<tr class="row">${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  const table =
    rows.length === 0
      ? ''
      : `<table><thead>${cells('th', header)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table>`;
  const sentences = notes.map((note) => `<p class="subtitle">${escapeHtml(note)}</p>`).join('');
  return `<section><div class="title">${escapeHtml(title)}</div>${table}${sentences}</section>`;
}

function renderCulprit(
  culprit: FunctionChange,
  { place = NOWHERE, label = 'Culprit' }: Partial<PageCulprit> = {},
): string {
  const where = place === NOWHERE ? '' : ` <span class="place">${escapeHtml(place)}</span>`;
  return `<div class="culprit"><span class="label">${escapeHtml(label)}</span><b>${escapeHtml(culprit.name)}</b>${where}
<span class="delta">${percent(culprit.baselineTotal)} → ${percent(culprit.canaryTotal)} of CPU</span>
${renderDelta(culprit.canaryTotal - culprit.baselineTotal)} <span class="label">points</span>
<button type="button" id="show-culprit">Show in graph</button></div>`;
}

function renderChanges(
  raw: View,
  folded: View | undefined,
  { beginsRaw, sides }: Pick<DiffPageData, 'beginsRaw' | 'sides'>,
): string {
  const tables = [
    renderTable('changes-raw', raw.changes, { sides, isHidden: !beginsRaw }),
    ...(folded === undefined
      ? []
      : [renderTable('changes-folded', folded.changes, { sides, isHidden: beginsRaw })]),
  ];
  return `<details><summary>What changed most, by function</summary><div class="changes">${tables.join('')}</div></details>`;
}

function renderTable(
  id: string,
  changes: readonly FunctionChange[],
  { sides, isHidden }: { readonly sides: PageSides; readonly isHidden: boolean },
): string {
  const rows = changes.slice(0, CHANGES_SHOWN).map(
    (
      change,
    ) => `<tr><td><button type="button" data-function="${escapeHtml(change.name)}">${escapeHtml(change.name)}</button></td>
<td>${percent(change.baselineSelf)}</td><td>${percent(change.canarySelf)}</td><td>${renderDelta(change.canarySelf - change.baselineSelf)}</td>
<td>${renderDelta(change.canaryTotal - change.baselineTotal)}</td></tr>`,
  );
  return `<table id="${id}"${isHidden ? ' hidden' : ''}>
<thead><tr><th>Function</th><th>Self, ${escapeHtml(sides.baseline)}</th><th>Self, ${escapeHtml(sides.canary)}</th><th>Change, points</th><th>With callees</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>`;
}

/** In percentage points. */
function renderDelta(delta: number): string {
  const digits = (Math.abs(delta) * 100).toFixed(2);
  if (digits === '0.00') {
    return '<span class="delta">0.00</span>';
  }
  return delta > 0
    ? `<span class="delta grew">+${digits}</span>`
    : `<span class="delta shrank">−${digits}</span>`;
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

const titled = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe as text and inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** JSON that can neither close its script element nor open a comment in it, nor break a line of JavaScript. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
