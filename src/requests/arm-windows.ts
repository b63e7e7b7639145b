/** What an arm's windows say of its requests, for pictures: what one costs, how long they took, and both by time. Pure. */
import type { RequestCost } from '../profile/flame-measure.ts';
import type { LatencyChart, LatencyMark } from '../profile/latency-chart.ts';
import { BUCKET_WIDTH, BUCKETS, eachBucket } from './latency-sketch.ts';
import { comparableRow, type RequestWindow, requestsIn } from './request-window.ts';

/** One container's window. */
export interface ArmWindow {
  readonly pod: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly cpuUsec: number;
  readonly requests?: RequestWindow;
}

const LEAST_REQUESTS = 30; // of an arm: with fewer, what one costs is anybody's guess
const ASSUMED_ERROR = 0.05; // of a single pod, which has nobody to differ from

const seen = ({ requests }: ArmWindow): boolean => requests?.state === 'Seen';
export const requestsOfWindow = ({ requests }: ArmWindow): number => requestsIn(requests?.routes ?? []);

/** Undefined where too few requests were seen. */
export function requestCost(windows: readonly ArmWindow[]): RequestCost | undefined {
  const pods = [...Map.groupBy(windows.filter(seen), ({ pod }) => pod).values()].map(sums);
  const { cpuMs, requests } = pods.reduce(
    (sum, pod) => ({ cpuMs: sum.cpuMs + pod.cpuMs, requests: sum.requests + pod.requests }),
    { cpuMs: 0, requests: 0 },
  );
  if (requests < LEAST_REQUESTS) return undefined;
  const ms = cpuMs / requests;
  return { ms, relativeError: Math.hypot(errorBetween(pods, ms), 1 / Math.sqrt(requests)) };
}

interface PodSums {
  readonly cpuMs: number;
  readonly requests: number;
}

const sums = (windows: readonly ArmWindow[]): PodSums => ({
  cpuMs: windows.reduce((sum, { cpuUsec }) => sum + cpuUsec / 1_000, 0),
  requests: windows.reduce((sum, window) => sum + requestsOfWindow(window), 0),
});

/** Standard error of the mean of the pods' costs, over the arm's. */
function errorBetween(pods: readonly PodSums[], ms: number): number {
  const costs = pods.filter(({ requests }) => requests > 0).map((pod) => pod.cpuMs / pod.requests);
  if (costs.length < 2 || ms === 0) return ASSUMED_ERROR;
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const variance = costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / (costs.length - 1);
  return Math.sqrt(variance / costs.length) / ms;
}

/** Requests by bucket of latency-sketch.ts. */
export function latenciesOf(windows: readonly ArmWindow[]): Float64Array {
  const counts = new Float64Array(BUCKETS);
  for (const { requests } of windows) {
    for (const row of requests?.routes ?? []) {
      eachBucket(comparableRow(row).latency, (key, count) => {
        counts[key] = (counts[key] ?? 0) + count;
      });
    }
  }
  return counts;
}

const msOf = (key: number): number => Math.exp((key - 0.5) * BUCKET_WIDTH) / 1_000;
const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);

/** Undefined of none. */
export function latencyQuantile(counts: Float64Array, quantile: number): number | undefined {
  const all = total(counts);
  if (all === 0) return undefined;
  let passed = 0;
  const key = counts.findIndex((count) => {
    passed += count;
    return passed >= quantile * all;
  });
  return msOf(key);
}

const BINS = 56;
const EDGES = [0.001, 0.999] as const; // what is drawn; a single odd request would flatten all others

/** Undefined unless both arms answered somebody. */
export function latencyChartOf(
  arms: { readonly baseline: Float64Array; readonly canary: Float64Array },
  marks: readonly LatencyMark[],
): LatencyChart | undefined {
  const edges = [arms.baseline, arms.canary].flatMap((arm) =>
    EDGES.map((edge) => latencyQuantile(arm, edge)),
  );
  const known = edges.filter((edge) => edge !== undefined);
  if (known.length < edges.length) return undefined;
  const marked = marks.flatMap(({ baselineMs, canaryMs, interval = [] }) => [
    baselineMs,
    canaryMs,
    ...interval,
  ]);
  const inside = [...known, ...marked.filter((ms) => ms > 0)];
  const fromMs = Math.min(...inside) / 1.3;
  const toMs = Math.max(...inside) * 1.3;
  const binned = (counts: Float64Array) => smoothed(binsOf(counts, fromMs, toMs));
  return { fromMs, toMs, baseline: binned(arms.baseline), canary: binned(arms.canary), marks };
}

function binsOf(counts: Float64Array, fromMs: number, toMs: number): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  const all = Math.max(1, total(counts));
  const perBin = Math.log(toMs / fromMs) / BINS;
  for (const [key, count] of counts.entries()) {
    if (count === 0) continue;
    const bin = Math.floor(Math.log(msOf(key) / fromMs) / perBin);
    if (bin >= 0 && bin < BINS) bins[bin] = (bins[bin] ?? 0) + count / all;
  }
  return bins;
}

const smoothed = (bins: readonly number[]): number[] =>
  bins.map((share, at) => ((bins[at - 1] ?? 0) + 2 * share + (bins[at + 1] ?? 0)) / 4);

/** By step of time: the windows of each that have their middle in it. */
export function byStep<Window extends Pick<ArmWindow, 'startMs' | 'endMs'>>(
  windows: readonly Window[],
  { fromMs, stepMs, steps }: { readonly fromMs: number; readonly stepMs: number; readonly steps: number },
): readonly (readonly Window[])[] {
  const groups = Array.from({ length: steps }, (): Window[] => []);
  for (const window of windows) {
    const step = Math.floor(((window.startMs + window.endMs) / 2 - fromMs) / stepMs);
    groups[step]?.push(window);
  }
  return groups;
}
