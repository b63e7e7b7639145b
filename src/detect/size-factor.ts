/** One function's samples in both arms, and how far their log ratio may stray by chance. */
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

const LEAST_SAMPLES = 20; // in both arms together; below, a ratio is mostly noise
// With fewer functions, and less of all functions' samples, there is no telling whether these are the ones that did not
// change: on real pods a young look had a single function to go by, and it was the culprit.
const LEAST_FUNCTIONS = 5;
const LEAST_COVERAGE = 0.25;
const LARGEST_WEIGHT = 0.05; // share; so that no single function decides what "unchanged" means
const OUTLIER_SCORE = 3;
const ROUNDS = 3;

/**
 * Shares are compositional: when a tenth of the work vanishes, everything else grows by a ninth without
 * having changed. Like TMM (Robinson & Oshlack 2010) this takes the ratio of the functions that agree with
 * each other: from their weighted median, then dropping what lies further than chance allows.
 */
export function sizeFactor(pairs: readonly FunctionPair[], sizes: ArmSizes): SizeFactor {
  const usable = pairs.filter((pair) => pair.canary + pair.baseline >= LEAST_SAMPLES);
  if (!coversEnough(usable, pairs) || sizes.canary <= 0 || sizes.baseline <= 0) {
    return { factor: 1, logError: Number.POSITIVE_INFINITY };
  }
  let factor = weightedMedianRatio(usable, sizes);
  let kept = usable;
  for (let round = 0; round < ROUNDS; round++) {
    const about = factor;
    const agreeing = usable.filter((pair) => Math.abs(logDistance(pair, sizes, about)) <= OUTLIER_SCORE);
    if (!coversEnough(agreeing, pairs)) break;
    kept = agreeing;
    factor = Math.exp(meanLogRatio(kept, sizes));
  }
  return { factor, logError: 1 / Math.sqrt(precisionOf(kept)) };
}

function coversEnough(some: readonly FunctionPair[], all: readonly FunctionPair[]): boolean {
  const samples = (pairs: readonly FunctionPair[]): number =>
    pairs.reduce((sum, pair) => sum + pair.canary + pair.baseline, 0);
  if (some.length >= LEAST_FUNCTIONS) return true;
  return some.length > 0 && samples(some) >= LEAST_COVERAGE * samples(all);
}

// Half a sample more in each arm keeps the ratio finite for a function that only one of them has.
const ratioOf = (pair: FunctionPair, sizes: ArmSizes): number =>
  ((pair.canary + 0.5) / sizes.canary / (pair.baseline + 0.5)) * sizes.baseline;

const logVariance = (pair: FunctionPair): number =>
  pair.overdispersion * (1 / (pair.canary + 0.5) + 1 / (pair.baseline + 0.5)) + pair.podVariance;

const logDistance = (pair: FunctionPair, sizes: ArmSizes, factor: number): number =>
  Math.log(ratioOf(pair, sizes) / factor) / Math.sqrt(logVariance(pair));

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

// By precision: a function whose pods disagree (the JIT inlines it in some) says little about the rest.
function meanLogRatio(pairs: readonly FunctionPair[], sizes: ArmSizes): number {
  const weighted = pairs.reduce((sum, pair) => sum + Math.log(ratioOf(pair, sizes)) / logVariance(pair), 0);
  return weighted / precisionOf(pairs);
}

const precisionOf = (pairs: readonly FunctionPair[]): number =>
  pairs.reduce((sum, pair) => sum + 1 / logVariance(pair), 0);
