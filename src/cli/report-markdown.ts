/** A RegressionReport as a comment on a pull request: verdict and culprit first, the tables folded away. Pure. */
import { buildText, changesUrl } from '../crds/built-from.ts';
import type { Culprit, RegressionReport } from '../crds/regression-report.ts';
import {
  checksTable,
  culpritsTitle,
  culpritText,
  evidenceTable,
  hasContent,
  notesTable,
  type ReportTable,
  routeTables,
  settlingTable,
} from '../crds/report-tables.ts';
import { visibleName } from '../profile/visible-name.ts';
import { commitText, foundText, rangeText } from './commits/commits-text.ts';
import type { CommitsOfReport, Found } from './commits/culprit-commits.ts';
import { foldedNames } from './report-names.ts';

const SIGNS: Readonly<Record<string, string>> = {
  Failed: '❌',
  Passed: '✅',
  Inconclusive: '❔',
  Collecting: '⏳',
};
const MOST_CULPRITS = 5;
const MOST_FRAMES = 12;
const LONGEST = 60_000; // a comment on GitHub holds 65,536 characters

/** `commits`: what a clone says of it, where one was named. */
export function reportMarkdown(report: RegressionReport, commits?: CommitsOfReport): string {
  const { metadata, spec, status = {} } = report;
  const verdict = status.verdict ?? 'Collecting';
  const names = foldedNames(report);
  const culprits = (status.culprits ?? []).slice(0, MOST_CULPRITS);
  const details = [settlingTable(status), ...routeTables(status), evidenceTable(status), notesTable(status)];
  const parts = [
    `### ${SIGNS[verdict] ?? ''} ${verdict}: ${words(`${metadata.namespace}/${spec.gate}`)}`,
    ...(status.message === undefined ? [] : [`${words(status.message)}`]),
    `Canary ${armPart(spec, 'canary')} against baseline ${armPart(spec, 'baseline')}, attempt ${spec.attempt}.${changesPart(spec)}`,
    ...(commits === undefined ? [] : [`Commits: ${words(rangeText(commits))}.`]),
    ...tableParts({ ...checksTable(status), title: '' }),
    ...(culprits.length === 0 ? [] : [`**${words(culpritsTitle(status))}**`]),
    ...culprits.map((culprit, at) =>
      [
        culpritPart({ ...culprit, function: names.functionName(culprit.function) }, at + 1),
        ...commitItems(commits?.culprits[at]?.found),
      ].join('\n'),
    ),
    ...culprits.slice(0, 1).map((culprit) => stackPart(names.stack(culprit.stack))),
    ...details
      .filter(hasContent)
      .map((table) => folded(table.title, tableParts({ ...table, title: '' }).join('\n\n'))),
    `<sub>RegressionReport ${code(`${metadata.namespace}/${metadata.name}`)}</sub>`,
  ];
  return cut(parts);
}

function armPart(spec: RegressionReport['spec'], arm: 'baseline' | 'canary'): string {
  const built = buildText(spec.builtFrom?.[arm]);
  const images = spec.images[arm].map(code).join(', ');
  return `${code(spec[`${arm}Hash`])} (${images}${built === '' ? '' : `, built from ${code(built)}`})`;
}

function changesPart({ builtFrom }: RegressionReport['spec']): string {
  const url = changesUrl(builtFrom?.baseline, builtFrom?.canary);
  return url === undefined ? '' : ` [Changes in the source](<${url}>)`;
}

/** From its end, in whole parts: a table that is cut would be no table. */
function cut(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) {
    if (text.length + part.length > LONGEST) return `${text}_The rest was left out for its length._\n`;
    text += `${part}\n\n`;
  }
  return `${text.trimEnd()}\n`;
}

function tableParts({ title, header, rows, notes }: ReportTable): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(words).join(' | ')} |`;
  const table = [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
  return [
    ...(title === '' ? [] : [`**${words(title)}**`]),
    ...(rows.length === 0 ? [] : [table]),
    ...notes.map(words),
  ];
}

function culpritPart(culprit: Culprit, rank: number): string {
  const { file, line, kind, route, dispatcher } = culprit;
  const place = file === undefined ? '' : ` at ${code(line === undefined ? file : `${file}:${line}`)}`;
  const where = [
    ...(route === undefined ? [] : [`, for ${code(route)}`]),
    ...(dispatcher === undefined ? [] : [`, on ${code(dispatcher)}`]),
  ].join('');
  return `${rank}. ${code(culprit.function)}${place} (${kind}${where}): ${words(culpritText(culprit))}`;
}

/** Below the culprit's own line of the list. */
function commitItems(found: Found | undefined): string[] {
  if (found === undefined) return [];
  const { sentence, commits, hasMore } = foundText(found);
  const items = [
    ...commits.map((commit) => words(commitText(commit))),
    ...(hasMore ? ['… and older ones'] : []),
  ];
  return [`   - ${words(sentence)}`, ...items.map((item) => `     - ${item}`)];
}

function stackPart(frames: readonly string[]): string {
  const shown = frames.slice(0, MOST_FRAMES).map((frame) => `at ${visibleName(frame)}`);
  const more = frames.length > MOST_FRAMES ? [`… ${frames.length - MOST_FRAMES} more`] : [];
  const body = [...shown, ...more].join('\n');
  return folded('Its commonest stack', fenced(body));
}

const folded = (title: string, body: string): string =>
  `<details><summary>${words(title)}</summary>\n\n${body}\n\n</details>`;

/** Nothing in a text can end a fence that is longer than all it has. */
function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}\n${text}\n${fence}`;
}

function code(text: string): string {
  const shown = visibleName(text).replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestRun(shown) + 1);
  return ticks.length === 1 ? `\`${shown}\`` : `${ticks} ${shown} ${ticks}`;
}

const longestRun = (text: string): number =>
  Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** Somebody else's words are no markup, call nobody, and link nowhere. */
const words = (text: string): string =>
  visibleName(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll(/@(?=\w)/g, '@<!-- -->')
    .replaceAll('://', ':<!-- -->//');
