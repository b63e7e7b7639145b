/** How long requests took in both arms: two outlines over a logarithmic axis, with quantiles and the interval of their change. */
import { escapeHtml } from './html.ts';

export interface LatencyChart {
  /** Bins of equal width in the logarithm of a latency. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Share of an arm's requests in each bin. */
  readonly baseline: readonly number[];
  readonly canary: readonly number[];
  readonly marks: readonly LatencyMark[];
}

export interface LatencyMark {
  /** "P99" */
  readonly label: string;
  readonly baselineMs: number;
  readonly canaryMs: number;
  /** Of the canary's, by the check's interval; missing where there is none. */
  readonly interval?: readonly [number, number];
}

const WIDTH = 560;
const LEFT = 8;
const RIGHT = 552;
const BOTTOM = 150;
const TOP = 14;
const ROW = 17; // of a quantile, below the axis
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000];

export function latencyChart(chart: LatencyChart): string {
  const span = Math.log(chart.toMs / chart.fromMs);
  const xOf = (ms: number): number => {
    const at = Math.log(Math.max(ms, chart.fromMs) / chart.fromMs) / span;
    return LEFT + Math.min(1, at) * (RIGHT - LEFT);
  };
  const highest = Math.max(1e-9, ...chart.baseline, ...chart.canary);
  const outline = (bins: readonly number[]): string => {
    const step = (RIGHT - LEFT) / bins.length;
    const points = bins.map(
      (share, bin) =>
        `${fixed(LEFT + (bin + 0.5) * step)} ${fixed(BOTTOM - (share / highest) * (BOTTOM - TOP))}`,
    );
    return `M${LEFT} ${BOTTOM}L${points.join('L')}L${RIGHT} ${BOTTOM}`;
  };
  const ticks = ticksOf(chart).map(
    (ms) =>
      `<line x1="${fixed(xOf(ms))}" x2="${fixed(xOf(ms))}" y1="${BOTTOM}" y2="${BOTTOM + 4}" class="tick"/><text x="${fixed(xOf(ms))}" y="${BOTTOM + 16}" text-anchor="middle">${tickText(ms)}</text>`,
  );
  const marksTop = BOTTOM + 34;
  const marks = chart.marks.map((mark, row) => markRow(mark, marksTop + row * ROW, xOf));
  const height = marksTop + chart.marks.length * ROW;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(wordsOf(chart))}">
<path d="${outline(chart.baseline)}" class="area baseline"/><path d="${outline(chart.canary)}" class="area canary"/>
<path d="${outline(chart.baseline)}" class="line baseline"/><path d="${outline(chart.canary)}" class="line canary"/>
<line x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}" class="tick"/>${ticks.join('')}${marks.join('')}</svg>`;
}

/** Baseline as a ring, canary as a disc, the interval as a bar: they are told apart without colours. */
function markRow(
  { label, baselineMs, canaryMs, interval }: LatencyMark,
  y: number,
  xOf: (ms: number) => number,
) {
  const bar =
    interval === undefined
      ? ''
      : `<line x1="${fixed(xOf(interval[0]))}" x2="${fixed(xOf(interval[1]))}" y1="${y}" y2="${y}" class="interval canary"/>`;
  return `<line x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}" class="guide"/><text x="${LEFT}" y="${y - 3}">${escapeHtml(label)}</text>${bar}
<circle cx="${fixed(xOf(baselineMs))}" cy="${y}" r="4.5" class="ring"/><circle cx="${fixed(xOf(canaryMs))}" cy="${y}" r="4.5" class="disc"/>`;
}

const ticksOf = ({ fromMs, toMs }: LatencyChart): readonly number[] => {
  const inside = TICKS.filter((ms) => ms >= fromMs * 1.05 && ms <= toMs * 0.95);
  return inside.length > 9
    ? inside.filter((ms) => Number.isInteger(Math.round(Math.log10(ms) * 1e6) / 1e6))
    : inside;
};

const tickText = (ms: number): string => (ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`);
const fixed = (value: number): string => value.toFixed(1);
const latency = (ms: number): string => `${ms >= 100 ? ms.toFixed(0) : ms.toFixed(ms >= 10 ? 1 : 2)} ms`;

const wordsOf = ({ marks }: LatencyChart): string =>
  `How long requests took. ${marks.map(({ label, baselineMs, canaryMs }) => `${label}: baseline ${latency(baselineMs)}, canary ${latency(canaryMs)}`).join('; ')}`;
