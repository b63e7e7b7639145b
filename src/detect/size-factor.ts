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
  let kept: readonly WeightedPair[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    kept = weigh(pairs, sizes, factor);
    const known = sharesOf(kept.filter(isFrequent), sizes);
    if (!(Math.min(known.canary, known.baseline) >= LEAST_KEPT)) return unknown;
    const whole = sharesOf(kept, sizes);
    factor = whole.canary / whole.baseline;
  }
  return { factor, logError: logErrorOf(kept, sizes) };
}

const isFrequent = (pair: FunctionPair): boolean => pair.canary + pair.baseline >= LEAST_SAMPLES;

// Half a sample more in each arm keeps the ratio finite for a function that only one of them has.
const ratioOf = (pair: FunctionPair, sizes: ArmSizes): number =>
  ((pair.canary + 0.5) / sizes.canary / (pair.baseline + 0.5)) * sizes.baseline;

function weightedMedianRatio(pairs: readonly FunctionPair[], sizes: ArmSizes): number {
  const ascending = pairs
    .map((pair) => ({
      ratio: ratioOf(pair, sizes),
      weight: Math.min(LARGEST_WEIGHT, (pair.canary / sizes.canary + pair.baseline / sizes.baseline) / 2),
    }))
    .sort((a, b) => a.ratio - b.ratio);
  let left = ascending.reduce((sum, { weight }) => sum + weight, 0) / 2;
  for (const { ratio, weight } of ascending) {
    left -= weight;
    if (left <= 0) return ratio;
  }
  return 1;
}

interface WeightedPair extends FunctionPair {
  /** 0 (changed) to 1: the part of its variance that is not the pods'. */
  readonly weight: number;
}

function weigh(pairs: readonly FunctionPair[], sizes: ArmSizes, factor: number): WeightedPair[] {
  return pairs.map((pair) => {
    if (!isFrequent(pair)) return { ...pair, weight: 1 };
    // By the deviance, for a count may be zero; the baseline's share is the rescaled one.
    const { z, information } = shareScore(
      { samples: pair.canary, rest: sizes.canary - pair.canary },
      { samples: pair.baseline, rest: Math.max(0, sizes.baseline / factor - pair.baseline) },
    );
    const weight = 1 / (1 + (information * pair.podVariance) / pair.overdispersion);
    const score = z * Math.sqrt(weight / pair.overdispersion);
    return { ...pair, weight: Math.abs(score) > OUTLIER_SCORE ? 0 : weight };
  });
}

/** What weighted functions take of each arm together. */
const sharesOf = (pairs: readonly WeightedPair[], sizes: ArmSizes): ArmSizes => ({
  canary: pairs.reduce((sum, { canary, weight }) => sum + weight * canary, 0) / sizes.canary,
  baseline: pairs.reduce((sum, { baseline, weight }) => sum + weight * baseline, 0) / sizes.baseline,
});

// Shares sum to one, so only by how much the weights differ can they stray: multinomial within an arm, by pods beside.
function logErrorOf(pairs: readonly WeightedPair[], sizes: ArmSizes): number {
  const whole = sharesOf(pairs, sizes);
  let variance = 0;
  for (const pair of pairs) {
    const canary = { share: pair.canary / sizes.canary, off: pair.weight / whole.canary - 1 };
    const baseline = { share: pair.baseline / sizes.baseline, off: pair.weight / whole.baseline - 1 };
    variance += (pair.overdispersion * canary.share * canary.off ** 2) / sizes.canary;
    variance += (pair.overdispersion * baseline.share * baseline.off ** 2) / sizes.baseline;
    variance += pair.podVariance * Math.max(canary.share * canary.off, baseline.share * baseline.off) ** 2;
  }
  return Math.sqrt(variance);
}
