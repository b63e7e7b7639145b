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
import {
  type EffectEvidence,
  type EffectNoise,
  onePodCarries,
  type SamplingNoise,
  UNLUCKY,
  weighGrowth,
} from './effect-evidence.ts';
import { GrowthBound } from './growth-bound.ts';
import type { Counted, PodCounts } from './pod-counts.ts';
import type { ServedSums, StratumSums } from './request-arms.ts';
import type { LatencySettings } from './request-settings.ts';
import type { PodFactors, RequestSpread } from './request-spread.ts';
import { type Restarts, type ThresholdShape, weighRestarts } from './restarts.ts';

// Measured nowhere yet: five per cent of P99 between pods is what the design assumes without history.
export const ASSUMED_OF_LATENCY = { podSd: 0.05, leastPodSd: 0.01, waveSd: 0.04 };
export const FEWEST_SLOWER = 30; // expected in the canary beyond the quantile; below, a count is no normal variable
export const AGEING_SD = 0.02; // of a pod's log latency over a gate: heaps grow, code is compiled again

/**
 * Of what a check of latency may spend: on growth since the evaluation began as the bound proves it, on the same as the e-process
 * proves it (which sees at the first looks what is that slow), and on growth since later starts.
 */
const PARTS = { bound: 0.8, eProcess: 0.05, later: 0.15 };
/**
 * Level of the bound by what it may spend. A path that is followed at every instant meets it that often; a gate has two looks in a row
 * beyond it, and pods and age are allowed for. On seeds that are not judged harmless canaries at 200 requests a second met a bound of
 * level 1.28 % in 0.2 to 0.3 % of gates, whatever the margin: what P99 may spend is 0.32 % (docs/adr/0022).
 */
const LEVEL_OF_PART = 4;

/** Standard errors below the margin from which on proven growth may be as large: three fast pods hide a little of it for good. */
const LEEWAY = 0.5;

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
  /** Of this alpha's part. */
  readonly bound: GrowthBound;
  readonly boundFactor: number;
  /** Blocks of BLOCK_MS that both arms had requests in, parts count; and looks. */
  readonly blocks: number;
  readonly looks: number;
}

/** Undefined while there are too few requests. */
export function measureLatency(
  arms: StratumSums,
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

/** Weighs growth of one quantile, since the evaluation began and since later starts. */
export function weighLatency(look: LatencyLook): EffectEvidence {
  const { measure, check, restarts, concentration, spread, boundFactor } = look;
  const { effect, baselineMs } = measure;
  const noise = sinceStartNoise(look);
  const sinceStart = weighSinceStart(noise, look);
  const stretches = {
    waves: spread.waveVariance * concentration,
    ageing: AGEING_SD ** 2 * concentration,
    looksPerBlock: look.looks / look.blocks,
    fewest: FEWEST_SLOWER,
  };
  const later = weighRestarts(restarts, measure.fixed, stretches, boundFactor);
  // The mean of e-values is one, with weights that are fixed beforehand.
  const logE = logOfSum(
    Math.log(PARTS.eProcess) + sinceStart.logE,
    Math.log(PARTS.later) + (later?.logE ?? Number.NEGATIVE_INFINITY),
  );
  const isProven = logE >= -Math.log(2 * look.alpha);
  const margin = Math.log1p(Math.max(check.relativeMargin, check.absoluteMarginMs / baselineMs));
  const leastToFail = margin - LEEWAY * Math.sqrt(noise.sampling + noise.pods);
  const failsSinceStart = sinceStart.isBeyondBound && effect > leastToFail;
  const weight = Math.log(Math.max(1, restarts.planned));
  const isLater = later !== undefined && later.strongest.logE - weight > sinceStart.logE;
  return {
    effect,
    half: sinceStart.half,
    get detectable() {
      return sinceStart.detectable; // of no verdict: only for who reads it
    },
    isProven: isProven || sinceStart.isBeyondBound,
    logE,
    noise: samplingOf(measure),
    ...{ margin, leastToFail },
    baseline: baselineMs,
    canary: baselineMs * Math.exp(effect),
    assumedSpread: spread.assumed,
    get onePod() {
      const { canary, baseline } = look.counts;
      return onePodCarries(canary.totals(), partOf(baseline.totals()), margin * measure.fixed.density);
    },
    ...(isLater && (isProven || !failsSinceStart) && { onset: later.strongest }),
  };
}

/** Without pods and waves, by arm. */
function samplingOf({ answered, answeredSquares, slower, density }: LatencyMeasure): SamplingNoise {
  const perRequest = (slower * (1 - slower)) / density ** 2;
  return {
    ofCanary: perRequest / answered,
    ofBaseline: (perRequest * answeredSquares) / answered ** 2,
    perVariance: 1,
  };
}

function sinceStartNoise({ measure, spread, concentration, blocks }: LatencyLook): EffectNoise {
  const { ofCanary, ofBaseline } = samplingOf(measure);
  return {
    sampling: ofCanary + ofBaseline + (spread.waveVariance * concentration) / blocks,
    pods: spread.podVariance * concentration,
    factors: spread.factors,
  };
}

function weighSinceStart(noise: EffectNoise, look: LatencyLook) {
  const { measure, boundFactor } = look;
  const growth = measure.excess / measure.density;
  const levels = { alpha: look.alpha * PARTS.eProcess, boundFactor };
  const { logE, half } = weighGrowth(growth, noise, levels);
  const byBound = beyondBound(noise, look);
  return {
    ...{ logE, half },
    isBeyondBound: byBound !== undefined && growth >= byBound && shiftOf(measure.excess, measure) >= byBound,
    get detectable() {
      return detectableGrowth(noise, look, measure);
    },
  };
}

/**
 * The latency all have to gain for so much larger a part to be beyond. Which pods an arm got strays on this scale like a normal variable;
 * counts beyond a threshold grow faster than the latency and stray far to the right. Where the tail has a gap so little is a large shift
 * that only both together are evidence.
 */
const shiftOf = (excess: number, { slower, fixed }: Pick<LatencyMeasure, 'slower' | 'fixed'>): number =>
  fixed.shiftOf(slower + excess) - fixed.shiftOf(slower);

const beyondBound = ({ sampling, pods, factors }: EffectNoise, { bound, blocks }: LatencyPlan) =>
  bound.at(blocks, { sampling, pods: pods * factors.test ** 2, ageing: AGEING_SD });

/** What a check may spend, and how far its plan has come. */
export type LatencyPlan = Pick<LatencyLook, 'alpha' | 'bound' | 'blocks'>;

/** Growth of log latency that is proven by now with 90 % probability. */
export function detectableGrowth(
  noise: EffectNoise,
  plan: LatencyPlan,
  measure: Pick<LatencyMeasure, 'slower' | 'density' | 'fixed'>,
): number {
  const alpha = plan.alpha * PARTS.eProcess;
  // What may be passed does not matter for what is seen.
  const { needed } = weighGrowth(0, noise, { alpha, boundFactor: 1 });
  const unlucky = UNLUCKY * Math.sqrt(noise.sampling + noise.pods);
  const byBound = (beyondBound(noise, plan) ?? Number.POSITIVE_INFINITY) + unlucky;
  // The tail gets thicker as it gets slower: so many more requests beyond the quantile are less growth than its density says.
  return Math.min(shiftOf((needed + unlucky) * measure.density, measure), byBound);
}

/** The bound of a check of this level, of its part of it. */
export const boundOf = (alpha: number, plannedBlocks: number): GrowthBound =>
  new GrowthBound(alpha * PARTS.bound * LEVEL_OF_PART, plannedBlocks);

/** What its e-process may spend. */
export const eProcessAlphaOf = (alpha: number): number => alpha * PARTS.eProcess;

/** What the lottery of pods is weighed at. */
export const podAlphaOf = (alpha: number): number => alpha * PARTS.bound;

const logOfSum = (a: number, b: number): number =>
  Math.max(a, b) === Number.NEGATIVE_INFINITY
    ? Number.NEGATIVE_INFINITY
    : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

/** A request that ended without an answer is known to be slower than what it had waited; if that was less, it tells nothing. */
export function withWaits({ latency, waited }: ServedSums, threshold: number): LatencyHistogram {
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
