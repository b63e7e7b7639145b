import type { PodWindow } from '../../src/detect/pod-window.ts';
import { BUCKET_WIDTH, BUCKETS } from '../../src/requests/latency-sketch.ts';
import type { RouteWindow } from '../../src/requests/request-window.ts';
import { type Random, seededRandom } from './simulated-pods.ts';

/** The model of the design's simulations: lognormal latencies, of median 15 and P99 80 ms, that stray by pod and in time. */
export interface SimulatedRequests {
  readonly seed: number;
  readonly requestsPerSecond: number;
  /** Part of all requests that the canary serves. */
  readonly canaryPart: number;
  readonly baselinePods: number;
  readonly canaryPods: number;
  readonly windows: number;
  /** Windows of the baseline before the evaluation. */
  readonly historyWindows?: number;
  readonly noise: RequestNoise;
  /** What the canary does otherwise. */
  readonly canary?: CanaryChange;
  /** Routes by how much slower than the first each is; what part of requests each has, by arm. */
  readonly routes?: readonly SimulatedRoute[];
}

export interface RequestNoise {
  /** Of log latency: between pods, and of a pod from window to window (AR(1), 0.8). */
  readonly podSd: number;
  readonly waveSd: number;
  /** Of all pods together from window to window (AR(1), 0.9). */
  readonly commonSd: number;
  /** Part of a pod's windows in which a twentieth of its requests takes 150 ms more, exponentially. */
  readonly bursts: number;
}

export interface CanaryChange {
  /** Milliseconds more at P99, none below P90, in between and beyond by the rank. */
  readonly tailMs?: number;
  /** All latencies times this. */
  readonly factor?: number;
  /** Part of requests that fail; the baseline's is `errors` too unless said otherwise. */
  readonly errors?: number;
  /** Windows until the change begins. */
  readonly from?: number;
  /** Young canary pods take this part more at first, which is gone by a factor of e every 45 s. */
  readonly warmUp?: number;
  /** Only in this canary pod. */
  readonly onlyPod?: number;
}

export interface SimulatedRoute {
  readonly route: string;
  readonly factor: number;
  readonly baselinePart: number;
  readonly canaryPart: number;
}

export const QUIET: RequestNoise = { podSd: 0.015, waveSd: 0.05, commonSd: 0.08, bursts: 0.01 };
export const UNEVEN: RequestNoise = { ...QUIET, podSd: 0.03 };

const LOG_MEDIAN_US = Math.log(15_000);
const LOG_SD = 0.72;
const STEPS = 16; // of the table, a bucket: shifts are rounded to a sixteenth of 2 %
const BASELINE_ERRORS = 0.001;
const ONE_ROUTE: readonly SimulatedRoute[] = [
  { route: '/orders/{}', factor: 1, baselinePart: 1, canaryPart: 1 },
];

/** Φ, by Abramowitz & Stegun 26.2.17: good to 7e-8, and its tail is smooth. */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? 1 - tail : tail;
}

/** Part of latencies up to each step of log latency. */
function table(change: CanaryChange | undefined): Float64Array {
  const below = new Float64Array(BUCKETS * STEPS + 1);
  const tailUs = (change?.tailMs ?? 0) * 1_000;
  // The latency of rank u is the lognormal's, plus the ramp: walked in small steps of the normal score.
  let at = 0;
  for (let z = -8; z <= 8; z += 1 / 512) {
    const u = normalBelow(z);
    const ramp = Math.max(0, u - 0.9) / 0.09;
    const latency = Math.exp(LOG_MEDIAN_US + LOG_SD * z) * (change?.factor ?? 1) + tailUs * ramp;
    const step = Math.min(below.length - 1, Math.floor((Math.log(latency) / BUCKET_WIDTH) * STEPS));
    for (; at <= step; at++) below[at] = u;
  }
  for (; at < below.length; at++) below[at] = 1;
  return below;
}

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

function poisson(mean: number, random: Random): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count += 1;
  }
  return count;
}

export interface SimulatedArms {
  readonly history: PodWindow[];
  readonly baseline: PodWindow[];
  readonly canary: PodWindow[];
}

export function simulateRequests(run: SimulatedRequests): SimulatedArms {
  const random = seededRandom(run.seed);
  const history = run.historyWindows ?? 0;
  const common = wave(history + run.windows, run.noise.commonSd, 0.9, random);
  const same = table(undefined);
  const changed = table(run.canary);
  const podsOf = (arm: 'baseline' | 'canary', pods: number, part: number, from: number): PodWindow[][] =>
    Array.from({ length: pods }, (_, number) => {
      const change = arm === 'canary' && (run.canary?.onlyPod ?? number) === number ? run.canary : undefined;
      const perWindow = (run.requestsPerSecond * 10 * part) / pods;
      const podShift = run.noise.podSd * normal(random);
      const waves = wave(history + run.windows, run.noise.waveSd, 0.8, random);
      const windows: PodWindow[] = [];
      for (let at = from; at < run.windows; at++) {
        const age = arm === 'canary' ? Math.log1p((run.canary?.warmUp ?? 0) * Math.exp((-10 * at) / 45)) : 0;
        const shift = podShift + (waves[at + history] ?? 0) + (common[at + history] ?? 0) + age;
        const isChanged = change !== undefined && at >= (change.from ?? 0);
        const parts = (run.routes ?? ONE_ROUTE).map((route) => {
          const ofRoute = arm === 'canary' ? route.canaryPart : route.baselinePart;
          const below = isChanged ? changed : same;
          const errors = (isChanged ? change.errors : undefined) ?? BASELINE_ERRORS;
          const drawn = { mean: perWindow * ofRoute, shift: shift + Math.log(route.factor), errors };
          return rowOf(route.route, below, drawn, random);
        });
        if (random() < run.noise.bursts) for (const row of parts) burst(row, random);
        windows.push(windowOf(`${arm}-${number}`, at, parts.map(packed)));
      }
      return windows;
    });
  const baseline = podsOf('baseline', run.baselinePods, 1 - run.canaryPart, -history).flat();
  return {
    history: baseline.filter(({ endMs }) => endMs <= 0),
    baseline: baseline.filter(({ endMs }) => endMs > 0),
    canary: podsOf('canary', run.canaryPods, run.canaryPart, 0).flat(),
  };
}

function wave(length: number, sd: number, memory: number, random: Random): number[] {
  const values: number[] = [];
  let value = sd * normal(random);
  for (let at = 0; at < length; at++) {
    values.push(value);
    value = memory * value + Math.sqrt(1 - memory ** 2) * sd * normal(random);
  }
  return values;
}

interface Drawn {
  readonly route: string;
  readonly counts: Map<number, number>;
  answered: number;
  failed: number;
}

function rowOf(
  route: string,
  below: Float64Array,
  { mean, shift, errors }: { readonly mean: number; readonly shift: number; readonly errors: number },
  random: Random,
): Drawn {
  const drawn: Drawn = { route, counts: new Map(), answered: 0, failed: poisson(mean * errors, random) };
  const answered = mean * (1 - errors);
  const steps = Math.round((shift / BUCKET_WIDTH) * STEPS);
  const belowKey = (key: number): number =>
    below[Math.min(below.length - 1, Math.max(0, key * STEPS - steps))] ?? 1;
  let before = 0;
  for (let key = 1; key < BUCKETS && before < 1 - 1e-9; key++) {
    const now = belowKey(key);
    if (now - before > 1e-9) {
      const count = poisson(answered * (now - before), random);
      if (count > 0) drawn.counts.set(key, count);
      drawn.answered += count;
    }
    before = now;
  }
  return drawn;
}

function burst(row: Drawn, random: Random): void {
  const slowed = poisson(row.answered / 20, random);
  for (let at = 0; at < slowed; at++) {
    const latencyUs = Math.exp(LOG_MEDIAN_US + LOG_SD * normal(random)) - 150_000 * Math.log(1 - random());
    const key = Math.ceil(Math.log(latencyUs) / BUCKET_WIDTH);
    row.counts.set(key, (row.counts.get(key) ?? 0) + 1);
    row.answered += 1;
  }
}

function packed({ route, counts, answered, failed }: Drawn): RouteWindow {
  let before = 0;
  const latency = [...counts]
    .sort(([a], [b]) => a - b)
    .flatMap(([key, count]) => {
      const distance = key - before;
      before = key;
      return [distance, count];
    });
  const none = { clientGone: 0, unfinished: 0, reset: 0, waited: [] };
  return { method: 'GET', route, answers: [0, 0, answered, 0, 0, failed], ...none, latency };
}

function windowOf(pod: string, at: number, routes: readonly RouteWindow[]): PodWindow {
  return {
    pod,
    startMs: at * 10_000,
    endMs: (at + 1) * 10_000,
    podStartedAtMs: -7_200_000,
    samplesTaken: 0,
    samplesLost: 0,
    hz: 49,
    cpuUsec: 0,
    throttledUsec: 0,
    flags: '',
    stacks: [],
    requests: { state: 'Seen', reason: '', message: '', lost: 0, routes },
  };
}
