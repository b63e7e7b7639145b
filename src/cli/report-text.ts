/** A RegressionReport as a terminal shows it: verdict first, then why, then who. */
import { styleText } from 'node:util';
import { formatDuration } from '../crds/quantities.ts';
import type { Culprit, RegressionReport, ReportCheck } from '../crds/regression-report.ts';
import { foldedNames, type ReportNames, SAMPLED_NAMES } from './report-names.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
type Paint = (style: Style, text: string) => string;

export interface ReportTextOptions {
  readonly useColour: boolean;
  /** Functions and stacks as they were sampled; else folded. */
  readonly isRaw: boolean;
}

export function renderReport(report: RegressionReport, options: ReportTextOptions): string {
  const paint: Paint = (style, text) =>
    options.useColour ? styleText(style, text, { validateStream: false }) : text;
  const names = options.isRaw ? SAMPLED_NAMES : foldedNames(report);
  const { checks = [], culprits = [], flags = [] } = report.status ?? {};
  const sections = [
    heading(report, paint),
    checkTable(
      checks.map((check) => withSubject(check, names)),
      paint,
    ),
    ...culprits.map((culprit, i) => culpritText(withNames(culprit, names), i + 1, paint)),
    flags.length === 0
      ? []
      : [paint('bold', 'Know this of the data'), ...flags.map((flag) => `  ${visible(flag)}`)],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function heading({ metadata, spec, status }: RegressionReport, paint: Paint): string[] {
  const verdict = status?.verdict ?? 'Collecting';
  const why = status?.reason === undefined ? '' : ` (${status.reason})`;
  return [
    `${paint('bold', paint(colourOf(verdict), verdict))}${why}  ${metadata.namespace}/${metadata.name}`,
    ...(status?.message === undefined ? [] : [visible(status.message)]),
    '',
    ...textTable([
      ['gate', `${spec.gate}, attempt ${spec.attempt}`],
      ['baseline', `${spec.baselineHash}  ${spec.images.baseline.join(', ')}`],
      ['canary', `${spec.canaryHash}  ${spec.images.canary.join(', ')}`],
      ['data', dataText(status)],
      ['time', timeText(status)],
    ]).map(visible),
  ];
}

function colourOf(verdict: string): Style {
  return verdict === 'Failed' ? 'red' : verdict === 'Passed' ? 'green' : 'yellow';
}

function dataText(status: RegressionReport['status']): string {
  const { pods, samples } = status ?? {};
  if (pods === undefined || samples === undefined) {
    return 'none yet';
  }
  const counts = [samples.baseline, samples.canary].map((count) => count.toLocaleString('en'));
  return `${pods.baseline} baseline and ${pods.canary} canary pods, ${counts.join(' and ')} samples`;
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

function checkTable(checks: readonly ReportCheck[], paint: Paint): string[] {
  if (checks.length === 0) {
    return [];
  }
  const header = [
    'CHECK',
    'VERDICT',
    'BASELINE',
    'CANARY',
    'CHANGE',
    'INTERVAL',
    'MARGIN',
    'DETECTABLE',
    'SUBJECT',
  ];
  const rows = checks.map((check) => [
    check.check,
    check.verdict,
    check.baseline ?? '',
    check.canary ?? '',
    check.delta ?? '',
    check.interval?.join(' to ') ?? '',
    check.margin ?? '',
    check.detectable ?? '',
    check.subject ?? '',
  ]);
  const [first = '', ...rest] = textTable([header, ...rows]).map(visible);
  return [paint('dim', first), ...rest];
}

const withSubject = (check: ReportCheck, { functionName }: ReportNames): ReportCheck =>
  check.subject === undefined ? check : { ...check, subject: functionName(check.subject) };

const withNames = (culprit: Culprit, { functionName, stack }: ReportNames): Culprit => ({
  ...culprit,
  function: functionName(culprit.function),
  stack: [...stack(culprit.stack)],
});

function culpritText(culprit: Culprit, rank: number, paint: Paint): string[] {
  const { file, line } = culprit;
  const place = file === undefined ? '' : `  (${visible(file)}${line === undefined ? '' : `:${line}`})`;
  return [
    `${paint('bold', `${rank}. ${visible(culprit.function)}`)}${place}  ${culprit.kind}`,
    `   ${culprit.baseline} → ${culprit.canary} of CPU: ${culprit.delta} (${culprit.interval.join(' to ')}), ${culprit.shareOfDelta} of the whole increase`,
    ...whereText(culprit),
    ...culprit.stack.map((frame) => paint('dim', `     at ${visible(frame)}`)),
  ];
}

function whereText({ dispatcher, route }: Culprit): string[] {
  const parts = [
    ...(route === undefined ? [] : [`for ${visible(route)}`]),
    ...(dispatcher === undefined ? [] : [`on ${visible(dispatcher)}`]),
  ];
  return parts.length === 0 ? [] : [`   ${parts.join(', ')}`];
}
