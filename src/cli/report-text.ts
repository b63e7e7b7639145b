/** A RegressionReport as a terminal shows it: verdict first, then why, then who. */
import { styleText } from 'node:util';
import { buildText } from '../crds/built-from.ts';
import { formatDuration } from '../crds/quantities.ts';
import type { Culprit, RegressionReport, RegressionReportStatus } from '../crds/regression-report.ts';
import {
  checksTable,
  culpritsTitle,
  culpritText,
  evidenceTable,
  hasContent,
  leftOutTable,
  notesTable,
  type ReportTable,
  routeTables,
  settlingTable,
} from '../crds/report-tables.ts';
import { commitText, foundText, rangeText } from './commits/commits-text.ts';
import type { CommitsOfReport, Found } from './commits/culprit-commits.ts';
import { foldedNames, type ReportNames, SAMPLED_NAMES } from './report-names.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';
import { wrapped } from './wrapped.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

interface Look {
  paint(style: Style, text: string): string;
  readonly columns: number;
}

export interface ReportTextOptions {
  readonly useColour: boolean;
  /** Functions and stacks as they were sampled, all of them; else folded, and the first frames. */
  readonly isRaw: boolean;
  /** Of the terminal. Sentences are wrapped; names are never cut. */
  readonly columns: number;
  /** What a clone says of it, where one was named. */
  readonly commits?: CommitsOfReport | undefined;
}

export function renderReport(report: RegressionReport, options: ReportTextOptions): string {
  const look: Look = {
    paint: (style, text) => (options.useColour ? styleText(style, text, { validateStream: false }) : text),
    columns: options.columns,
  };
  const names = options.isRaw ? SAMPLED_NAMES : foldedNames(report);
  const status = report.status ?? {};
  const tables = (list: readonly ReportTable[]): string[][] =>
    list.filter(hasContent).map((table) => tableText(table, look));
  const sections = [
    heading(report, look, options.commits),
    ...tables([{ ...checksTable(status), title: '' }, settlingTable(status), ...routeTables(status)]),
    ...culpritSections(status, names, { look, isRaw: options.isRaw, commits: options.commits }),
    ...tables([leftOutTable(status), evidenceTable(status), notesTable(status)]),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function tableText({ title, header, rows, notes }: ReportTable, { paint, columns }: Look): string[] {
  const [first = '', ...rest] = rows.length === 0 ? [] : textTable([header, ...rows]).map(visible);
  return [
    ...(title === '' ? [] : [paint('bold', title)]),
    ...(rows.length === 0 ? [] : [paint('dim', first), ...rest]),
    ...notes.flatMap((note) => wrapped(visible(note), columns, '  ')),
  ];
}

function heading(
  { metadata, spec, status }: RegressionReport,
  { paint, columns }: Look,
  commits: CommitsOfReport | undefined,
): string[] {
  const verdict = status?.verdict ?? 'Collecting';
  const why = status?.reason === undefined ? '' : ` (${visible(status.reason)})`;
  return [
    `${paint('bold', paint(colourOf(verdict), verdict))}${why}  ${metadata.namespace}/${metadata.name}`,
    ...(status?.message === undefined ? [] : wrapped(visible(status.message), columns)),
    '',
    ...textTable([
      ['gate', `${spec.gate}, attempt ${spec.attempt}`],
      ['baseline', armText(spec, 'baseline')],
      ['canary', armText(spec, 'canary')],
      ...(commits === undefined ? [] : [['commits', rangeText(commits)]]),
      ['data', dataText(status)],
      ['time', timeText(status)],
    ]).map(visible),
  ];
}

function armText(spec: RegressionReport['spec'], arm: 'baseline' | 'canary'): string {
  const built = buildText(spec.builtFrom?.[arm]);
  const from = built === '' ? '' : `  (built from ${built})`;
  return `${spec[`${arm}Hash`]}  ${spec.images[arm].join(', ')}${from}`;
}

function colourOf(verdict: string): Style {
  return verdict === 'Failed' ? 'red' : verdict === 'Passed' ? 'green' : 'yellow';
}

function dataText(status: RegressionReport['status']): string {
  const { pods, samples, requests } = status ?? {};
  if (pods === undefined || samples === undefined) {
    return 'none yet';
  }
  const counts = ({ baseline, canary }: typeof samples): string =>
    [baseline, canary].map((count) => count.toLocaleString('en')).join(' and ');
  const served = requests === undefined ? '' : `, ${counts(requests)} requests`;
  return `${pods.baseline} and ${pods.canary} pods, ${counts(samples)} samples${served}`;
}

function timeText(status: RegressionReport['status']): string {
  if (status?.startedAt === undefined) {
    return 'not started';
  }
  if (status.decidedAt === undefined) {
    return `began ${status.startedAt}, not decided`;
  }
  const took = formatDuration(Date.parse(status.decidedAt) - Date.parse(status.startedAt));
  return `began ${status.startedAt}, decided after ${took}`;
}

const FIRST_FRAMES = 12;
const OTHER_FRAMES = 4; // of the second function on: most of its stack is the first one's

function culpritSections(
  status: RegressionReportStatus,
  { functionName, stack }: ReportNames,
  {
    look,
    isRaw,
    commits,
  }: { readonly look: Look; readonly isRaw: boolean; readonly commits: CommitsOfReport | undefined },
): string[][] {
  const { culprits = [] } = status;
  return culprits.map((culprit, at) => {
    const title = at === 0 ? wrapped(culpritsTitle(status), look.columns) : [];
    const named = { ...culprit, function: functionName(culprit.function) };
    const frames = stack(culprit.stack);
    const most = isRaw ? frames.length : at === 0 ? FIRST_FRAMES : OTHER_FRAMES;
    const more = frames.length - most;
    return [
      ...title.map((line) => look.paint('bold', line)),
      ...culpritLines(named, at + 1, look),
      ...commitLines(commits?.culprits[at]?.found, look),
      ...frames.slice(0, most).map((frame) => look.paint('dim', `     at ${visible(frame)}`)),
      ...(more > 0 ? [look.paint('dim', `     … ${more} more (--raw shows all)`)] : []),
    ];
  });
}

function culpritLines(culprit: Culprit, rank: number, { paint, columns }: Look): string[] {
  const { file, line } = culprit;
  const place = file === undefined ? '' : `  (${visible(file)}${line === undefined ? '' : `:${line}`})`;
  return [
    `${paint('bold', `${rank}. ${visible(culprit.function)}`)}${place}  ${culprit.kind}`,
    ...wrapped(visible(culpritText(culprit)), columns, '   '),
    ...whereText(culprit),
  ];
}

function commitLines(found: Found | undefined, { columns }: Look): string[] {
  if (found === undefined) return [];
  const { sentence, commits, hasMore } = foundText(found);
  return [
    ...wrapped(visible(sentence), columns, '   '),
    ...commits.map((commit) => `     ${visible(commitText(commit))}`),
    ...(hasMore ? ['     … and older ones'] : []),
  ];
}

function whereText({ dispatcher, route }: Culprit): string[] {
  const parts = [
    ...(route === undefined ? [] : [`for ${visible(route)}`]),
    ...(dispatcher === undefined ? [] : [`on ${visible(dispatcher)}`]),
  ];
  return parts.length === 0 ? [] : [`   ${parts.join(', ')}`];
}
