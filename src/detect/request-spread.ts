/**
 * How far a pod's requests stray without any change of version, on the scale of the effect (log latency, log-odds). Both parts are
 * estimated within arms, against the other pods in the same block, so that neither a difference between the arms nor what
 * a moment did to all pods inflates them; blocks of before the rollout count like any.
 */
import type { Counted, PodCounts } from './pod-counts.ts';

export interface RequestSpread {
  /** Variance between pods that stays: where they run, what their JVM compiled. */
  readonly podVariance: number;
  /** Variance of a pod from block to block: collections, neighbours, bursts. */
  readonly waveVariance: number;
  /** For the factor that pays for an estimated variance. */
  readonly degreesOfFreedom: number;
  /** Whether too few pods, or requests, told their spread. */
  readonly assumed: boolean;
}

export interface AssumedSpread {
  readonly podSd: number;
  readonly leastPodSd: number;
  readonly waveSd: number;
}

export const BLOCK_MS = 120_000;
const LONG_BLOCKS = 5; // 600 s: waves that are longer than a block show there
// What is seen counts in full once it is worth this many degrees of freedom; below, the assumption fills up.
const ENOUGH_POD_DF = 8;
const ENOUGH_BLOCK_DF = 20;
const FEWEST_LONG_BLOCKS = 3;

/**
 * `perUnit`: change of the counted part of requests for one unit of the effect. `binomialOf`: variance of one request's
 * count, of which what is no count (CPU) has none.
 */
export function estimateSpread(
  arms: readonly PodCounts[],
  perUnit: number,
  assumed: AssumedSpread,
  binomialOf: (part: number) => number = (part) => part * (1 - part),
): RequestSpread {
  const short = arms.map((arm) => sumsOf(arm.cells(), perUnit, binomialOf));
  const long = arms.map((arm) => sumsOf(arm.cells(LONG_BLOCKS), perUnit, binomialOf));
  const wave = shrunk(totalWithin(short), assumed.waveSd ** 2, ENOUGH_BLOCK_DF);
  const longEnough = long.filter(({ blocks }) => blocks >= FEWEST_LONG_BLOCKS);
  const longWave = longEnough.length === 0 ? 0 : meanOf(totalWithin(longEnough));
  const waveVariance = Math.max(wave.variance, LONG_BLOCKS * longWave);
  const between = short.map((sums) => betweenPods(sums, waveVariance));
  const pods = shrunk(total(between), assumed.podSd ** 2, ENOUGH_POD_DF);
  return {
    podVariance: Math.max(assumed.leastPodSd ** 2, pods.variance),
    waveVariance,
    degreesOfFreedom: Math.max(ENOUGH_POD_DF, pods.ownDf),
    assumed: pods.ownDf < ENOUGH_POD_DF,
  };
}

/** With a larger variance between pods. */
export const inflated = (spread: RequestSpread, factor = 1): RequestSpread => ({
  ...spread,
  podVariance: factor * spread.podVariance,
});

/** A sum of squares, what sampling alone would give, and its increase for a unit of variance. */
interface Squares {
  readonly squares: number;
  readonly expected: number;
  readonly perVariance: number;
  readonly df: number;
}

interface Sums {
  readonly within: Squares;
  readonly pods: number;
  readonly blocks: number;
  readonly requests: number;
  readonly requestSquares: number;
  readonly binomial: number;
  readonly perUnit: number;
  /** Σ n·m² over pods, m: the pod's mean deviation. */
  readonly podSquares: number;
}

function sumsOf(
  pods: readonly ReadonlyMap<number, Counted>[],
  perUnit: number,
  binomialOf: (part: number) => number,
): Sums {
  const together = new Map<number, { requests: number; counted: number }>();
  for (const blocks of pods) {
    for (const [block, { requests, counted }] of blocks) {
      const sum = together.get(block) ?? { requests: 0, counted: 0 };
      together.set(block, sum);
      sum.requests += requests;
      sum.counted += counted;
    }
  }
  let requests = 0;
  let counted = 0;
  for (const sum of together.values()) {
    requests += sum.requests;
    counted += sum.counted;
  }
  const part = requests > 0 ? counted / requests : 0;
  const binomial = binomialOf(part);
  const blocks = together.size;
  const freedom = blocks > 0 && pods.length > 0 ? (1 - 1 / blocks) * (1 - 1 / pods.length) : 0;
  let podSquares = 0;
  let requestSquares = 0;
  let squares = 0;
  let cellSquares = 0;
  for (const cells of pods) {
    const strayed = [...cells].map(([block, cell]) => {
      const all = together.get(block) ?? cell;
      return { n: cell.requests, off: cell.counted - (cell.requests * all.counted) / all.requests };
    });
    const n = strayed.reduce((sum, cell) => sum + cell.n, 0);
    const mean = strayed.reduce((sum, { off }) => sum + off, 0) / n;
    podSquares += n * mean * mean;
    requestSquares += n * n;
    for (const cell of strayed) {
      squares += (cell.off - mean * cell.n) ** 2;
      cellSquares += cell.n ** 2;
    }
  }
  const within = {
    squares,
    expected: requests * binomial * freedom,
    perVariance: cellSquares * perUnit ** 2 * freedom,
    df: Math.max(0, blocks - 1) * Math.max(0, pods.length - 1),
  };
  return { within, pods: pods.length, blocks, requests, requestSquares, binomial, perUnit, podSquares };
}

function betweenPods(sums: Sums, waveVariance: number): Squares {
  const { pods, blocks, requests, requestSquares, binomial, perUnit, podSquares } = sums;
  const df = Math.max(0, pods - 1);
  if (df === 0 || requests === 0) return { squares: 0, expected: 0, perVariance: 0, df: 0 };
  const exposure = requests - requestSquares / requests;
  const waves = (exposure * perUnit ** 2 * waveVariance) / blocks;
  return { squares: podSquares, expected: df * binomial + waves, perVariance: exposure * perUnit ** 2, df };
}

function total(all: readonly Squares[]): Squares {
  const sum = (numberOf: (one: Squares) => number): number =>
    all.reduce((whole, one) => whole + numberOf(one), 0);
  return {
    squares: sum((one) => one.squares),
    expected: sum((one) => one.expected),
    perVariance: sum((one) => one.perVariance),
    df: sum((one) => one.df),
  };
}

const totalWithin = (sums: readonly Sums[]): Squares => total(sums.map(({ within }) => within));

const meanOf = ({ squares, expected, perVariance }: Squares): number =>
  perVariance > 0 ? Math.max(0, (squares - expected) / perVariance) : 0;

/** The estimate, filled up with the assumption as far as sampling noise and few pods leave it uncertain. */
function shrunk(seen: Squares, assumed: number, enough: number): { variance: number; ownDf: number } {
  const signal = assumed * seen.perVariance;
  const ownDf = signal > 0 ? seen.df * (signal / (seen.expected + signal)) ** 2 : 0;
  const fill = Math.max(0, enough - ownDf);
  return { variance: (ownDf * meanOf(seen) + fill * assumed) / (ownDf + fill), ownDf };
}
