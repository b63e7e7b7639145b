import { ascendingOrder } from './ascending-order.ts';
import { shareScore } from './deviance.ts';

/** One function's own samples in both arms, and how far their ratio may stray by chance. */
export interface FunctionPair {
  readonly canary: number;
  readonly baseline: number;
  /** Variance of the log-odds ratio from pods alone. */
  readonly podVariance: number;
  readonly overdispersion: number;
}

/** Sizes of the two arms, in samples. */
export interface ArmSizes {
  readonly canary: number;
  readonly baseline: number;
}

export interface SizeFactor {
  /** Canary share over baseline share of the functions that did not change. 1 when nothing can be said. */
  readonly factor: number;
  /** Standard error of its logarithm. */
  readonly logError: number;
}

const LEAST_SAMPLES = 20; // in both arms together; below, a single ratio is mostly noise
const LARGEST_WEIGHT = 0.05; // share; so that no single function decides what "unchanged" means
const OUTLIER_SCORE = 3;
const ROUNDS = 4; // of dropping what changed; on real pods the third no longer changes anything
// Of an arm's samples in functions that are frequent and kept: with less, these may be no more than what happens to agree.
// On real pods a young look had a single function to go by, and it was the culprit.
const LEAST_KEPT = 0.25;

/**
 * Shares are compositional: when a tenth of the work vanishes, everything else grows by a ninth without having changed.
 * Like TMM (Robinson & Oshlack 2010) this looks for the functions that agree with each other: from the median of their
 * ratios, dropping round by round what lies further off than chance allows. The factor is the ratio of what the kept ones
 * take together, each by how well its pods agree: a method that some pods inline may have vanished without anyone being
 * able to tell. `pairs` are disjoint and hold every sample of the arms.
 */
export function sizeFactor(pairs: readonly FunctionPair[], sizes: ArmSizes): SizeFactor {
  const unknown = { factor: 1, logError: Number.POSITIVE_INFINITY };
  const frequent = pairs.filter(isFrequent);
  if (frequent.length === 0 || sizes.canary <= 0 || sizes.baseline <= 0) return unknown;
  let factor = weightedMedianRatio(frequent, sizes);
  const weights = new Float64Array(pairs.length);
  for (let round = 0; round < ROUNDS; round++) {
    weigh(pairs, weights, sizes, factor);
    const known = sharesOf(pairs, weights, sizes, isFrequent);
    if (!(Math.min(known.canary, known.baseline) >= LEAST_KEPT)) return unknown;
    const whole = sharesOf(pairs, weights, sizes);
    factor = whole.canary / whole.baseline;
  }
  return { factor, logError: logErrorOf(pairs, weights, sizes) };
}

const isFrequent = (pair: FunctionPair): boolean => pair.canary + pair.baseline >= LEAST_SAMPLES;

// Half a sample more in each arm keeps the ratio finite for a function that only one of them has.
const ratioOf = (pair: FunctionPair, sizes: ArmSizes): number =>
  ((pair.canary + 0.5) / sizes.canary / (pair.baseline + 0.5)) * sizes.baseline;

function weightedMedianRatio(pairs: readonly FunctionPair[], sizes: ArmSizes): number {
  const ratios = new Float64Array(pairs.length);
  let at = 0;
  for (const pair of pairs) ratios[at++] = ratioOf(pair, sizes);
  const order = ascendingOrder(ratios);
  const weightOf = (at: number): number => {
    const pair = pairs[at];
    if (pair === undefined) return 0;
    return Math.min(LARGEST_WEIGHT, (pair.canary / sizes.canary + pair.baseline / sizes.baseline) / 2);
  };
  let left = order.reduce((sum, at) => sum + weightOf(at), 0) / 2;
  for (const at of order) {
    left -= weightOf(at);
    if (left <= 0) return ratios[at] ?? 1;
  }
  return 1;
}

/** 0 (changed) to 1: the part of a pair's variance that is not the pods'. */
function weigh(pairs: readonly FunctionPair[], weights: Float64Array, sizes: ArmSizes, factor: number): void {
  let at = 0;
  for (const pair of pairs) weights[at++] = weightOf(pair, sizes, factor);
}

function weightOf(pair: FunctionPair, sizes: ArmSizes, factor: number): number {
  if (!isFrequent(pair)) return 1;
  // By the deviance, for a count may be zero; the baseline's share is the rescaled one.
  const { z, information } = shareScore(
    { samples: pair.canary, rest: sizes.canary - pair.canary },
    { samples: pair.baseline, rest: Math.max(0, sizes.baseline / factor - pair.baseline) },
  );
  const weight = 1 / (1 + (information * pair.podVariance) / pair.overdispersion);
  const score = z * Math.sqrt(weight / pair.overdispersion);
  return Math.abs(score) > OUTLIER_SCORE ? 0 : weight;
}

/** What weighted functions take of each arm together. */
function sharesOf(
  pairs: readonly FunctionPair[],
  weights: Float64Array,
  sizes: ArmSizes,
  isMeant: (pair: FunctionPair) => boolean = () => true,
): ArmSizes {
  let canary = 0;
  let baseline = 0;
  let at = 0;
  for (const pair of pairs) {
    const weight = weights[at++] ?? 0;
    if (!isMeant(pair)) continue;
    canary += weight * pair.canary;
    baseline += weight * pair.baseline;
  }
  return { canary: canary / sizes.canary, baseline: baseline / sizes.baseline };
}

// Shares sum to one, so only by how much the weights differ can they stray: multinomial within an arm, by pods beside.
function logErrorOf(pairs: readonly FunctionPair[], weights: Float64Array, sizes: ArmSizes): number {
  const whole = sharesOf(pairs, weights, sizes);
  let variance = 0;
  let at = 0;
  for (const pair of pairs) {
    const weight = weights[at++] ?? 0;
    const canary = { share: pair.canary / sizes.canary, off: weight / whole.canary - 1 };
    const baseline = { share: pair.baseline / sizes.baseline, off: weight / whole.baseline - 1 };
    variance += (pair.overdispersion * canary.share * canary.off ** 2) / sizes.canary;
    variance += (pair.overdispersion * baseline.share * baseline.off ** 2) / sizes.baseline;
    variance += pair.podVariance * Math.max(canary.share * canary.off, baseline.share * baseline.off) ** 2;
  }
  return Math.sqrt(variance);
}
