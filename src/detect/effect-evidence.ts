/** What one look says of one number of all requests: a quantile of latency, or the part that failed. */
export interface EffectEvidence {
  /** On the check's own scale: log latency, or the part of requests. */
  readonly effect: number;
  /** Half-width of the interval around it that covers at every look that may pass, BOUND_ALPHA on each side. */
  readonly half: number;
  readonly margin: number;
  /** Whether the e-process rejects "no growth". */
  readonly isProven: boolean;
  /** Growth that would be proven by now with 90 % probability. */
  readonly detectable: number;
  /** In the unit that is shown: milliseconds, or the part of requests. */
  readonly baseline: number;
  readonly canary: number;
  readonly assumedSpread: boolean;
  readonly onePod: boolean;
}

export const DETECTION_POWER = 0.9;

const ONE_POD_PART = 0.6;
const LEAST_PODS_TO_BLAME_ONE = 3;

/** Whether a single canary pod carries most of what the canary has too much of. */
export function onePodCarries(
  pods: readonly { readonly requests: number; readonly counted: number }[],
  baselinePart: number,
): boolean {
  if (pods.length < LEAST_PODS_TO_BLAME_ONE) return false;
  const excesses = pods.map(({ requests, counted }) => Math.max(0, counted - requests * baselinePart));
  return Math.max(...excesses) > ONE_POD_PART * excesses.reduce((sum, excess) => sum + excess, 0);
}
