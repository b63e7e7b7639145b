import {
  addSketch,
  countAbove,
  createHistogram,
  densityAt,
  type LatencyHistogram,
  logQuantile,
  sketchAbove,
  totalOf,
} from '../requests/latency-histogram.ts';
import { BUCKET_WIDTH, countOf } from '../requests/latency-sketch.ts';
import type { RouteWindow } from '../requests/request-window.ts';
import { type EffectEvidence, onePodCarries, weighGrowth } from './effect-evidence.ts';
import type { Counted, PodCounts } from './pod-counts.ts';
import type { RequestArm, RequestArms } from './request-arms.ts';
import type { LatencySettings } from './request-settings.ts';
import type { PodFactors, RequestSpread } from './request-spread.ts';
import { type Restarts, type ThresholdShape, weighRestarts } from './restarts.ts';

// Measured nowhere yet: five per cent of P99 between pods is what the design assumes without history.
export const ASSUMED_OF_LATENCY = { podSd: 0.05, leastPodSd: 0.01, waveSd: 0.04 };
export const FEWEST_SLOWER = 30; // expected in the canary beyond the quantile; below, a count is no normal variable
const AGEING_SD = 0.02; // of a pod's log latency over a gate: heaps grow, code is compiled again

/** Of what a check of latency may spend: growth since the evaluation began. The other half is for later starts. */
export const PART_SINCE_START = 0.5;

/** What both arms' requests say of one quantile: all that is needed to weigh it. */
export interface LatencyMeasure {
  /** The canary's that were answered. */
  readonly answered: number;
  /** Σ (canary's requests)² / baseline's. */
  readonly answeredSquares: number;
  /** Part of the baseline's requests beyond its quantile, and how much larger the canary's is. */
  readonly slower: number;
  readonly excess: number;
  /** Of the baseline's log latency at its quantile. */
  readonly density: number;
  /** Between the quantiles, in log latency. */
  readonly effect: number;
  readonly baselineMs: number;
  /** At the threshold that pods and later starts are counted against. */
  readonly fixed: ThresholdShape;
}

export interface LatencyLook {
  readonly measure: LatencyMeasure;
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  readonly restarts: Restarts;
  readonly spread: RequestSpread & { readonly factors: PodFactors };
  /** Of the arms' pods: Σ of squared weights, both arms together. */
  readonly concentration: number;
  readonly check: LatencySettings;
  readonly alpha: number;
  readonly boundFactor: number;
  /** Blocks of BLOCK_MS that both arms had requests in, parts count; and looks. */
  readonly blocks: number;
  readonly looks: number;
}

/** Undefined while there are too few requests. */
export function measureLatency(
  arms: RequestArms,
  { quantile }: LatencySettings,
  fixedThreshold: number,
): LatencyMeasure | undefined {
  if (!hasEnough(arms.canary.answered, quantile)) return undefined;
  const threshold = logQuantile(arms.baseline.latency, quantile);
  const canary = withWaits(arms.canary, threshold);
  const baseline = withWaits(arms.baseline, threshold);
  const density = densityAt(baseline, threshold);
  const fixedDensity = densityAt(baseline, fixedThreshold);
  if (!(density > 0) || !(fixedDensity > 0)) return undefined;
  const slower = countAbove(baseline, threshold) / totalOf(baseline);
  const before = logQuantile(baseline, quantile);
  return {
    answered: arms.canary.answered,
    answeredSquares: arms.answeredSquares,
    slower,
    excess: countAbove(canary, threshold) / totalOf(canary) - slower,
    density,
    effect: logQuantile(canary, quantile) - before,
    baselineMs: Math.exp(before) / 1_000,
    fixed: {
      density: fixedDensity,
      shiftOf: (part) => fixedThreshold - logQuantile(baseline, 1 - part),
    },
  };
}

/** Whether so many requests of the canary leave enough beyond a quantile. */
export const hasEnough = (answered: number, quantile: number): boolean =>
  answered * (1 - quantile) >= FEWEST_SLOWER;

/** Weighs growth of one quantile, since the evaluation began and since later starts: half of what it may spend each. */
export function weighLatency(look: LatencyLook): EffectEvidence {
  const { measure, check, restarts, concentration, spread, boundFactor } = look;
  const { answered, answeredSquares, slower, excess, density, effect, baselineMs } = measure;
  const waves = spread.waveVariance * concentration;
  const perRequest = 1 / answered + answeredSquares / answered ** 2;
  const noise = {
    sampling: (slower * (1 - slower) * perRequest) / density ** 2 + waves / look.blocks,
    pods: spread.podVariance * concentration,
    factors: spread.factors,
  };
  const levels = { alpha: look.alpha * PART_SINCE_START, boundFactor };
  const { logE, half, detectable } = weighGrowth(excess / density, noise, levels);
  const stretches = {
    waves,
    ageing: AGEING_SD ** 2 * concentration,
    looksPerBlock: look.looks / look.blocks,
    fewest: FEWEST_SLOWER,
  };
  const since = weighRestarts(restarts, measure.fixed, stretches, boundFactor);
  const weight = Math.log(Math.max(1, restarts.planned));
  const later = since !== undefined && since.strongest.logE - weight > logE ? since.strongest : undefined;
  return {
    effect,
    half,
    detectable,
    isProven: logOfSum(logE, since?.logE ?? Number.NEGATIVE_INFINITY) >= -Math.log(look.alpha),
    margin: Math.log1p(Math.max(check.relativeMargin, check.absoluteMarginMs / baselineMs)),
    baseline: baselineMs,
    canary: baselineMs * Math.exp(effect),
    assumedSpread: spread.assumed,
    onePod: onePodCarries(look.counts.canary.totals(), partOf(look.counts.baseline.totals())),
    ...(later && { onset: later }),
  };
}

const logOfSum = (a: number, b: number): number =>
  Math.max(a, b) === Number.NEGATIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

/** A request that ended without an answer is known to be slower than what it had waited; if that was less, it tells nothing. */
function withWaits({ latency, waited }: RequestArm, threshold: number): LatencyHistogram {
  const all = latency.slice();
  const first = Math.max(0, Math.ceil(threshold / BUCKET_WIDTH) + 1);
  for (let key = first; key < waited.length; key++) all[key] = (all[key] ?? 0) + (waited[key] ?? 0);
  return all;
}

function partOf(pods: readonly Counted[]): number {
  const requests = pods.reduce((sum, pod) => sum + pod.requests, 0);
  return requests === 0 ? 0 : pods.reduce((sum, pod) => sum + pod.counted, 0) / requests;
}

/** A pod's requests, and those of them slower than the threshold. */
export function slowerThan(rows: readonly RouteWindow[], logThreshold: number): Counted {
  let requests = 0;
  let counted = 0;
  for (const { latency, waited } of rows) {
    const waits = sketchAbove(waited, logThreshold);
    requests += countOf(latency) + waits;
    counted += sketchAbove(latency, logThreshold) + waits;
  }
  return { requests, counted };
}

export const FEWEST_FOR_A_THRESHOLD = 50; // requests beyond the quantile, unweighted

/** The quantile of these rows to count pods against; undefined while they are too few to know it. */
export function thresholdOf(rows: readonly RouteWindow[], quantile: number): number | undefined {
  const histogram = createHistogram();
  for (const { latency } of rows) addSketch(histogram, latency);
  if (totalOf(histogram) * (1 - quantile) < FEWEST_FOR_A_THRESHOLD) return undefined;
  return logQuantile(histogram, quantile);
}
