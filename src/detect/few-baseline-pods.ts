/** Where too few pods and no time before the rollout tell how far pods stray, what is assumed of them is the least there is. */
import type { PodCounts } from './pod-counts.ts';
import type { AssumedSpread, RequestSpread } from './request-spread.ts';

export const FEWEST_PODS_FOR_A_VARIANCE = 8;

/** Three pods that happen to be alike would otherwise talk an assumption down that nothing else speaks against. */
export function withFewPods(
  spread: RequestSpread,
  assumed: AssumedSpread,
  baseline: Pick<PodCounts, 'pods' | 'hasHistory'>,
): RequestSpread {
  if (baseline.hasHistory || baseline.pods >= FEWEST_PODS_FOR_A_VARIANCE) return spread;
  return { ...spread, podVariance: Math.max(spread.podVariance, assumed.podSd ** 2), assumed: true };
}
