/** The charts of a report's page: checks with their intervals, latencies, and the evaluation by time. Pure. */
import type { RegressionReportStatus, ReportCheck } from '../../crds/regression-report.ts';
import { beforeAfter, changeText } from '../../crds/report-tables.ts';
import type { IntervalRow } from '../../profile/interval-chart.ts';
import type { LatencyChart, LatencyMark } from '../../profile/latency-chart.ts';
import type { Timeline, TimelineSeries } from '../../profile/timeline-chart.ts';
import {
  type ArmWindow,
  byStep,
  latenciesOf,
  latencyChartOf,
  latencyQuantile,
  requestCost,
} from '../../requests/arm-windows.ts';

export interface ArmsWindows {
  readonly baseline: readonly ArmWindow[];
  readonly canary: readonly ArmWindow[];
}

const NAMES: Readonly<Record<string, string>> = {
  'cpu.function': 'CPU of functions',
  'cpu.perRequest': 'CPU of a request',
  errors: 'Failed requests',
};

export const checkLabel = (check: string): string =>
  NAMES[check] ?? check.replace(/^latency\.p/, 'Latency, P').replace(/^./, (first) => first.toUpperCase());

export const intervalRows = ({ checks = [] }: RegressionReportStatus): readonly IntervalRow[] =>
  checks.map((check) => {
    const numbers = numbersOf(check);
    const compared = `${changeText(check)}${check.margin === undefined ? '' : `, margin ${check.margin}`}`;
    return {
      label: checkLabel(check.check),
      verdict: check.verdict,
      levels: beforeAfter(check),
      text: check.delta === undefined ? (check.message ?? '') : compared,
      ...(numbers && { numbers }),
    };
  });

function numbersOf({ delta, interval = [], margin }: ReportCheck): IntervalRow['numbers'] {
  const [change, low, high, accepted] = [delta, interval[0], interval[1], margin].map(amountOf);
  if (change === undefined || low === undefined || high === undefined || accepted === undefined)
    return undefined;
  return { change, low, high, margin: accepted };
}

const AMOUNT = /^([+-]?\d+(?:\.\d+)?)(ms|%)$/; // as crds/quantities.ts writes them

function amountOf(text: string | undefined): number | undefined {
  const [, digits] = AMOUNT.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** All requests of both arms as they came; the checks' own numbers, which weigh routes alike, are the quantiles. */
export function latencyOf(status: RegressionReportStatus, arms: ArmsWindows): LatencyChart | undefined {
  const counts = { baseline: latenciesOf(arms.baseline), canary: latenciesOf(arms.canary) };
  const marks = (status.checks ?? []).flatMap((check): LatencyMark[] => {
    const quantile = quantileOf(check.check);
    if (quantile === undefined) return [];
    const baselineMs = amountOf(check.baseline) ?? latencyQuantile(counts.baseline, quantile);
    const canaryMs = amountOf(check.canary) ?? latencyQuantile(counts.canary, quantile);
    if (baselineMs === undefined || canaryMs === undefined) return [];
    const [low, high] = (check.interval ?? []).map(amountOf);
    const interval =
      low === undefined || high === undefined ? undefined : ([baselineMs + low, baselineMs + high] as const);
    return [{ label: labelOf(check.check), baselineMs, canaryMs, ...(interval && { interval }) }];
  });
  return latencyChartOf(counts, marks);
}

const QUANTILE = /^latency\.p(\d{1,2}(?:\.\d{1,3})?)$/;
const labelOf = (check: string): string => check.replace('latency.p', 'P');

function quantileOf(check: string): number | undefined {
  const [, percent] = QUANTILE.exec(check) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

const STEPS_MS = [30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000];
const MOST_STEPS = 48;
const LEAST_ANSWERS = 20; // below, a quantile of a step says nothing

export function timelineOf(
  status: RegressionReportStatus,
  arms: ArmsWindows,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Timeline {
  const durationMs = Math.max(0, toMs - fromMs);
  const stepMs = STEPS_MS.find((step) => durationMs / step <= MOST_STEPS) ?? 24 * 3_600_000;
  const range = { fromMs, stepMs, steps: Math.ceil(durationMs / stepMs) };
  const steps = { baseline: byStep(arms.baseline, range), canary: byStep(arms.canary, range) };
  const series = (
    title: string,
    of: (windows: readonly ArmWindow[]) => number | undefined,
  ): TimelineSeries => ({
    title,
    baseline: steps.baseline.map(of),
    canary: steps.canary.map(of),
  });
  const all = [
    series('CPU of a request, ms', (windows) => requestCost(windows)?.ms),
    ...asked(status).map((check) =>
      series(`${checkLabel(check)}, ms`, (windows) => quantileIn(windows, quantileOf(check) ?? 0.5)),
    ),
  ].filter(hasValues);
  const decidedMs = status.decidedAt === undefined ? undefined : Date.parse(status.decidedAt) - fromMs;
  return {
    ...{ durationMs, stepMs, verdict: status.verdict ?? 'Collecting' },
    ...(decidedMs !== undefined && { decidedMs }),
    series: all.length > 0 ? all : [series('CPU of a pod, % of a core', coreShare)].filter(hasValues),
  };
}

/** The latency that failed, else the first that was asked for. */
function asked({ checks = [] }: RegressionReportStatus): readonly string[] {
  const latencies = checks.filter(({ check }) => quantileOf(check) !== undefined);
  const chosen = latencies.find(({ verdict }) => verdict === 'Failed') ?? latencies[0];
  return chosen === undefined ? [] : [chosen.check];
}

function quantileIn(windows: readonly ArmWindow[], quantile: number): number | undefined {
  const counts = latenciesOf(windows);
  const answers = counts.reduce((sum, count) => sum + count, 0);
  return answers < LEAST_ANSWERS ? undefined : latencyQuantile(counts, quantile);
}

function coreShare(windows: readonly ArmWindow[]): number | undefined {
  const ms = windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  const cpuMs = windows.reduce((sum, { cpuUsec }) => sum + cpuUsec / 1_000, 0);
  return ms === 0 ? undefined : (100 * cpuMs) / ms;
}

const hasValues = ({ baseline, canary }: TimelineSeries): boolean =>
  [baseline, canary].every((values) => values.some((value) => value !== undefined));
