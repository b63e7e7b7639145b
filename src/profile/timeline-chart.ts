/** An evaluation from its beginning to its decision: what the arms did meanwhile. */
import { escapeHtml } from './html.ts';

export interface Timeline {
  /** From the beginning of the evaluation to the last window. */
  readonly durationMs: number;
  /** When the verdict fell, from the beginning; missing while it has not. */
  readonly decidedMs?: number;
  /** "Failed" */
  readonly verdict: string;
  readonly stepMs: number;
  readonly series: readonly TimelineSeries[];
}

export interface TimelineSeries {
  readonly title: string;
  /** By step; undefined where there is nothing to say. */
  readonly baseline: readonly (number | undefined)[];
  readonly canary: readonly (number | undefined)[];
}

const WIDTH = 560;
const LEFT = 44;
const RIGHT = 548;
const TOP = 26;
const HEIGHT = 78;
const GAP = 34;

export function timelineChart(timeline: Timeline): string {
  const { durationMs, decidedMs, series, verdict } = timeline;
  const span = Math.max(1, durationMs, decidedMs ?? 0) * 1.02;
  const xOf = (ms: number): number => LEFT + (ms / span) * (RIGHT - LEFT);
  const bottom = TOP + series.length * (HEIGHT + GAP) - GAP;
  const charts = series.map((one, at) => seriesChart(one, timeline, { top: TOP + at * (HEIGHT + GAP), xOf }));
  const decided =
    decidedMs === undefined
      ? ''
      : `<line x1="${fixed(xOf(decidedMs))}" x2="${fixed(xOf(decidedMs))}" y1="12" y2="${bottom}" class="decided"/><text x="${fixed(xOf(decidedMs) - 5)}" y="10" text-anchor="end" class="strong">${escapeHtml(verdict)} after ${minutes(decidedMs)}</text>`;
  const ticks = ticksOf(span).map(
    (ms) => `<text x="${fixed(xOf(ms))}" y="${bottom + 16}" text-anchor="middle">${minutes(ms)}</text>`,
  );
  const when = decidedMs === undefined ? 'not decided yet' : `${verdict} after ${minutes(decidedMs)}`;
  const label = `From the beginning of the evaluation: ${when}. ${series.map(lastWords).join('; ')}`;
  return `<svg viewBox="0 0 ${WIDTH} ${bottom + 22}" role="img" aria-label="${escapeHtml(label)}">${charts.join('')}${decided}${ticks.join('')}</svg>`;
}

function seriesChart(
  { title, baseline, canary }: TimelineSeries,
  { stepMs }: Timeline,
  { top, xOf }: { readonly top: number; readonly xOf: (ms: number) => number },
): string {
  const known = [...baseline, ...canary].filter((value) => value !== undefined);
  const most = Math.max(1e-9, ...known);
  const yOf = (value: number): number => top + HEIGHT - (value / most) * (HEIGHT - 8);
  const line = (values: readonly (number | undefined)[]): string => {
    let path = '';
    let isDown = false;
    for (const [step, value] of values.entries()) {
      if (value !== undefined)
        path += `${isDown ? 'L' : 'M'}${fixed(xOf((step + 0.5) * stepMs))} ${fixed(yOf(value))}`;
      isDown = value !== undefined;
    }
    return path;
  };
  return `<text x="${LEFT}" y="${top - 4}" class="strong">${escapeHtml(title)}</text>
<line x1="${LEFT}" x2="${RIGHT}" y1="${top + HEIGHT}" y2="${top + HEIGHT}" class="tick"/><line x1="${LEFT}" x2="${RIGHT}" y1="${fixed(yOf(most))}" y2="${fixed(yOf(most))}" class="guide"/>
<text x="${LEFT - 5}" y="${fixed(yOf(most) + 4)}" text-anchor="end">${amount(most)}</text><text x="${LEFT - 5}" y="${top + HEIGHT + 4}" text-anchor="end">0</text>
<path d="${line(baseline)}" class="line baseline"/><path d="${line(canary)}" class="line canary"/>`;
}

const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480];

function ticksOf(spanMs: number): readonly number[] {
  const step = 60_000 * (STEPS_MIN.find((min) => spanMs / (min * 60_000) <= 7) ?? 1_440);
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, at) => at * step);
}

const fixed = (value: number): string => value.toFixed(1);
const amount = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const rest = seconds % 60;
  return rest === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${rest} s`;
}

function lastWords({ title, baseline, canary }: TimelineSeries): string {
  const last = (values: readonly (number | undefined)[]): string => {
    const value = values.findLast((one) => one !== undefined);
    return value === undefined ? 'nothing' : amount(value);
  };
  return `${title} at the end: baseline ${last(baseline)}, canary ${last(canary)}`;
}
