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
import { type EffectEvidence, type EffectNoise, onePodCarries, weighGrowth } from './effect-evidence.ts';
import type { Counted, PodCounts } from './pod-counts.ts';
import { concentrationOf, type RequestArm, type RequestArms } from './request-arms.ts';
import type { LatencySettings } from './request-settings.ts';
import { estimateSpread, inflated, type RequestSpread } from './request-spread.ts';

// Measured nowhere yet: five per cent of P99 between pods is what the design assumes without history.
export const ASSUMED = { podSd: 0.05, leastPodSd: 0.01, waveSd: 0.04 };
export const FEWEST_SLOWER = 30; // expected in the canary beyond the quantile; below, a count is no normal variable

export interface LatencyLook {
  readonly arms: RequestArms;
  /** Of all pods: requests, and those above the threshold that was fixed early. */
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  readonly check: LatencySettings;
  readonly alpha: number;
  readonly boundFactor: number;
  readonly podVarianceFactor?: number;
  /** Blocks of BLOCK_MS that both arms had requests in; parts count. */
  readonly blocks: number;
}

/** Weighs growth of one quantile; undefined while there are too few requests. */
export function weighLatency(look: LatencyLook): EffectEvidence | undefined {
  const { arms, check } = look;
  const tail = 1 - check.quantile;
  const threshold = logQuantile(arms.baseline.latency, check.quantile);
  if (!(arms.canary.answered * tail >= FEWEST_SLOWER)) return undefined;
  const canary = withWaits(arms.canary, threshold);
  const baseline = withWaits(arms.baseline, threshold);
  const density = densityAt(baseline, threshold);
  if (!(density > 0)) return undefined;
  const estimated = estimateSpread([look.counts.baseline, look.counts.canary], density, ASSUMED);
  const spread = inflated(estimated, look.podVarianceFactor);
  const slower = countAbove(baseline, threshold) / totalOf(baseline);
  const excess = countAbove(canary, threshold) / totalOf(canary) - slower;
  const noise = noiseOf(look, spread, { binomial: slower * (1 - slower), density });
  const before = logQuantile(baseline, check.quantile);
  const effect = logQuantile(canary, check.quantile) - before;
  const baselineMs = Math.exp(before) / 1_000;
  return {
    effect,
    ...weighGrowth(excess / density, noise, look),
    margin: Math.log1p(Math.max(check.relativeMargin, check.absoluteMarginMs / baselineMs)),
    baseline: baselineMs,
    canary: Math.exp(before + effect) / 1_000,
    assumedSpread: spread.assumed,
    onePod: onePodCarries(look.counts.canary.totals(), partOf(look.counts.baseline.totals())),
  };
}

/** A request that ended without an answer is known to be slower than what it had waited; if that was less, it tells nothing. */
function withWaits({ latency, waited }: RequestArm, threshold: number): LatencyHistogram {
  const all = latency.slice();
  const first = Math.max(0, Math.ceil(threshold / BUCKET_WIDTH) + 1);
  for (let key = first; key < waited.length; key++) all[key] = (all[key] ?? 0) + (waited[key] ?? 0);
  return all;
}

function noiseOf(
  { arms, blocks }: LatencyLook,
  spread: RequestSpread,
  { binomial, density }: { readonly binomial: number; readonly density: number },
): EffectNoise {
  const canary = concentrationOf(arms.canary);
  const baseline = concentrationOf(arms.baseline);
  const answered = arms.canary.answered;
  const perRequest = 1 / answered + arms.answeredSquares / answered ** 2;
  const pods = spread.podVariance * (canary + baseline);
  const waves = (spread.waveVariance * (canary + baseline)) / blocks;
  return {
    sampling: (binomial * perRequest) / density ** 2 + waves,
    pods,
    degreesOfFreedom: spread.degreesOfFreedom,
  };
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

const FEWEST_FOR_A_THRESHOLD = 50; // requests beyond the quantile, unweighted

/** The quantile of these rows to count pods against; undefined while they are too few to know it. */
export function thresholdOf(rows: readonly RouteWindow[], quantile: number): number | undefined {
  const histogram = createHistogram();
  for (const { latency } of rows) addSketch(histogram, latency);
  if (totalOf(histogram) * (1 - quantile) < FEWEST_FOR_A_THRESHOLD) return undefined;
  return logQuantile(histogram, quantile);
}
