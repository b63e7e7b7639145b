import type { Doubt } from './doubt.ts';
import { logEValue, randomEffectHalfWidth } from './e-process.ts';
import { normalQuantile } from './quantiles.ts';
import type { PodFactors } from './request-spread.ts';

/** What one look says of one number of all requests: a quantile of latency, or the part that failed. */
export interface EffectEvidence {
  /** On the check's own scale: log latency, or the part of requests. */
  readonly effect: number;
  /** Half-width of the interval around it that covers at every look that may pass, BOUND_ALPHA on each side. */
  readonly half: number;
  readonly margin: number;
  /** Estimate that is more than is tolerated once growth is proven; the margin where nothing is said. */
  readonly leastToFail?: number;
  /** Whether the e-process rejects "no growth". */
  readonly isProven: boolean;
  /** Log of the e-value against "no growth": proven from −ln of the check's level on. Absent: not one number. */
  readonly logE?: number;
  /** What the interval is made of besides pods and waves. */
  readonly noise?: SamplingNoise;
  /** Growth that would be proven by now with 90 % probability. */
  readonly detectable: number;
  /** In the unit that is shown: milliseconds, or the part of requests. */
  readonly baseline: number;
  readonly canary: number;
  readonly assumedSpread: boolean;
  readonly onePod: boolean;
  /** What else than the version explains the growth; only looked for where there is any. */
  readonly doubt?: Doubt;
  /** Where the growth began later than the evaluation, as far as that explains it better. */
  readonly onset?: Onset;
}

/** Variances of sampling on the check's own scale, and what a variance of log latency or of log-odds is worth there. */
export interface SamplingNoise {
  readonly ofCanary: number;
  readonly ofBaseline: number;
  readonly perVariance: number;
}

/** Growth against the canary's own past. */
export interface Onset {
  /** Number of the block of BLOCK_MS it is measured from. */
  readonly block: number;
  readonly effect: number;
  readonly half: number;
  /** Since then, against the baseline: what the whole gate would say if it had begun there. */
  readonly beside: number;
  /** Whether it alone would be evidence at BOUND_ALPHA: not yet proven, but no ground to pass on either. */
  readonly isSuspect: boolean;
}

/** The test counts requests beyond a threshold; where the tail is so thin there that it is no measure of time, the interval tells. */
export function growthIsProven({ isProven, effect, half, onset }: EffectEvidence): boolean {
  const interval = onset ?? { effect, half };
  return isProven && interval.effect - interval.half > 0;
}

const PART_BESIDE = 0.5;

/**
 * Whether what a proof speaks of is more than is tolerated. Growth against the canary's own past has to be there beside the
 * baseline, too, by half of the margin: a canary with less to do than a baseline pod gets no faster when the load falls, and its
 * pods may have been lucky ones, but not by that much.
 */
export function growthExceedsMargin({
  effect,
  margin,
  leastToFail = margin,
  onset,
}: EffectEvidence): boolean {
  if (onset === undefined) return effect > leastToFail;
  return onset.effect > margin && onset.beside > PART_BESIDE * margin;
}

export const DETECTION_POWER = 0.9;
export const UNLUCKY = normalQuantile(DETECTION_POWER); // standard errors below its mean that an estimate still may fall

export const DRIFT_SD = 0.1; // of the logarithm of a latency or a cost: a tenth more

/** Variances of an estimate on a log scale. */
export interface EffectNoise {
  /** Of sampling and of waves: new with more time. */
  readonly sampling: number;
  /** Of which pods the arms got: stays. */
  readonly pods: number;
  readonly factors: PodFactors;
}

/** Log of the e-value, and the growth that would be enough of it. */
interface Weighed {
  readonly logE: number;
  readonly needed: number;
}

/** Weighs `growth` against the lottery of pods and the noise of the sample; proven when `logE` reaches −ln 2·alpha. */
export function weighGrowth(
  growth: number,
  { sampling, pods, factors }: EffectNoise,
  { alpha, boundFactor }: { readonly alpha: number; readonly boundFactor: number },
): Pick<EffectEvidence, 'half' | 'isProven' | 'detectable'> & Weighed {
  const nullVariance = pods * factors.test ** 2;
  const model = { nullVariance, driftVariance: nullVariance + DRIFT_SD ** 2 };
  const score = growth / Math.sqrt(sampling);
  const logE = growth > 0 ? logEValue(score, 1 / sampling, model) : Number.NEGATIVE_INFINITY;
  const needed = randomEffectHalfWidth(1 / sampling, model, alpha);
  return {
    ...{ logE, needed },
    half: Math.sqrt(factors.bound ** 2 * pods + boundFactor ** 2 * sampling),
    isProven: logE >= -Math.log(2 * alpha),
    detectable: needed + UNLUCKY * Math.sqrt(sampling + pods),
  };
}

const ONE_POD_PART = 0.6;
const LEAST_PODS_TO_BLAME_ONE = 3;

/**
 * Whether a single canary pod carries most of what the canary has too much of, while the others have not grown themselves: their part
 * beyond is not above the baseline's by `grown`.
 */
export function onePodCarries(
  pods: readonly { readonly requests: number; readonly counted: number }[],
  baselinePart: number,
  grown = Number.POSITIVE_INFINITY,
): boolean {
  if (pods.length < LEAST_PODS_TO_BLAME_ONE) return false;
  const excesses = pods.map(({ requests, counted }) => counted - requests * baselinePart);
  const most = Math.max(...excesses);
  const sum = excesses.reduce((whole, excess) => whole + Math.max(0, excess), 0);
  if (!(most > ONE_POD_PART * sum)) return false;
  const others = pods.filter((_, pod) => pod !== excesses.indexOf(most));
  const requests = others.reduce((whole, pod) => whole + pod.requests, 0);
  return !(excesses.reduce((whole, excess) => whole + excess, -most) > grown * requests);
}
