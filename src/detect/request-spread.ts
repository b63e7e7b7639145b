/**
 * How far a pod's requests stray without any change of version, on the scale of the effect (log latency, log-odds). Both parts are
 * estimated within arms, against the other pods in the same block, so that neither a difference between the arms nor what
 * a moment did to all pods inflates them; blocks of before the rollout count like any.
 */

import { BOUND_ALPHA } from './node-evidence.ts';
import { type CountGrid, coarser, type PodCounts } from './pod-counts.ts';
import { studentFactor, studentQuantile } from './quantiles.ts';
import { TRUSTED_ALPHA } from './trusted-requests.ts';

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

/** By how many standard errors the lottery of pods may stray: in the test, in an interval, and in windows that prove alone. */
export interface PodFactors {
  readonly test: number;
  readonly bound: number;
  readonly trusted: number;
}

export interface AssumedSpread {
  readonly podSd: number;
  readonly leastPodSd: number;
  readonly waveSd: number;
}

/**
 * A bound on a variance that was estimated is a t quantile. So is one on pods with heavier tails than a normal variable's: the mean
 * of three pods drawn as t variables of 6 degrees of freedom strays, at one in a thousand and by the variance of twenty others, as far as
 * one of 16. A single one strays as far as one of 6, and what is counted of it further: requests beyond a threshold grow faster
 * than the latency of the pod they are all of.
 */
export function podFactors({ degreesOfFreedom }: RequestSpread, alpha: number, pods: number): PodFactors {
  const freedom = Math.min(degreesOfFreedom, 6 * Math.max(1, pods) - 2);
  return {
    test: studentFactor(alpha, freedom),
    bound: studentQuantile(1 - BOUND_ALPHA, freedom),
    trusted: studentQuantile(1 - TRUSTED_ALPHA, freedom),
  };
}

export const BLOCK_MS = 120_000;
/**
 * Of the baseline before a rollout, as much as tells how far its pods stray. While an evaluation of the default deadline and this much
 * before it are within what the store keeps, a new leader folds from the same history.
 */
export const HISTORY_MS = 26 * 60_000;
const LONG_BLOCKS = 5; // 600 s: waves that are longer than a block show there
// What is seen counts in full once it is worth this many degrees of freedom; below, the assumption fills up.
const ENOUGH_POD_DF = 8;
const ENOUGH_BLOCK_DF = 20;
const FEWEST_LONG_BLOCKS = 3;

interface SpreadOptions {
  /** Variance of one request's count, of which what is no count (CPU) has none. */
  readonly binomialOf?: (part: number) => number;
  /** Only blocks with a smaller number: those that are over. */
  readonly before?: number;
}

/** `perUnit`: change of the counted part of requests for one unit of the effect. */
export function estimateSpread(
  arms: readonly PodCounts[],
  perUnit: number,
  assumed: AssumedSpread,
  { binomialOf = (part) => part * (1 - part), before = Number.POSITIVE_INFINITY }: SpreadOptions = {},
): RequestSpread {
  const grids = arms.map((arm) => arm.grid(before));
  const short = grids.map((grid) => sumsOf(grid, perUnit, binomialOf));
  const long = grids.map((grid) => sumsOf(coarser(grid, LONG_BLOCKS), perUnit, binomialOf));
  const wave = shrunk([totalWithin(short)], assumed.waveSd ** 2, ENOUGH_BLOCK_DF);
  const longEnough = long.filter(({ blocks }) => blocks >= FEWEST_LONG_BLOCKS);
  const longWave = longEnough.length === 0 ? 0 : meanOf(totalWithin(longEnough));
  const waveVariance = Math.max(wave.variance, LONG_BLOCKS * longWave);
  const between = short.map((sums) => betweenPods(sums, waveVariance));
  // Each arm by itself: else three canary pods with few requests say nothing beside twenty with many, and one of them strays unseen.
  const pods = shrunk(between, assumed.podSd ** 2, ENOUGH_POD_DF);
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
  { pods: rows, columns, requests, counted }: CountGrid,
  perUnit: number,
  binomialOf: (part: number) => number,
): Sums {
  const of = { pods: 0, blocks: 0, requests: 0, counted: 0, requestSquares: 0, cellSquares: 0 };
  const partOf = new Float64Array(columns);
  for (let column = 0; column < columns; column++) {
    let n = 0;
    let k = 0;
    for (let at = column; at < rows * columns; at += columns) {
      n += requests[at] ?? 0;
      k += counted[at] ?? 0;
    }
    if (n === 0) continue;
    partOf[column] = k / n;
    of.blocks += 1;
    of.requests += n;
    of.counted += k;
  }
  let podSquares = 0;
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    let n = 0;
    let off = 0;
    for (let column = 0; column < columns; column++) {
      const cell = requests[from + column] ?? 0;
      n += cell;
      off += (counted[from + column] ?? 0) - cell * (partOf[column] ?? 0);
    }
    if (n === 0) continue; // no block of it is over yet
    const mean = off / n;
    of.pods += 1;
    of.requestSquares += n * n;
    podSquares += n * mean * mean;
    for (let column = 0; column < columns; column++) {
      const cell = requests[from + column] ?? 0;
      squares += ((counted[from + column] ?? 0) - cell * (partOf[column] ?? 0) - mean * cell) ** 2;
      of.cellSquares += cell * cell;
    }
  }
  const part = of.requests > 0 ? of.counted / of.requests : 0;
  const binomial = binomialOf(part);
  const freedom = of.blocks > 0 && of.pods > 0 ? (1 - 1 / of.blocks) * (1 - 1 / of.pods) : 0;
  const within = {
    squares,
    expected: of.requests * binomial * freedom,
    perVariance: of.cellSquares * perUnit ** 2 * freedom,
    df: Math.max(0, of.blocks - 1) * Math.max(0, of.pods - 1),
  };
  return { within, ...of, binomial, perUnit, podSquares };
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

/** The estimate, each part by what it tells, filled up with the assumption as far as sampling noise and few pods leave it uncertain. */
function shrunk(
  parts: readonly Squares[],
  assumed: number,
  enough: number,
): { variance: number; ownDf: number } {
  let ownDf = 0;
  let sum = 0;
  for (const { squares, expected, perVariance, df } of parts) {
    if (!(perVariance > 0)) continue;
    const signal = assumed * perVariance;
    const own = df * (signal / (expected + signal)) ** 2;
    ownDf += own;
    sum += (own * (squares - expected)) / perVariance;
  }
  const fill = Math.max(0, enough - ownDf);
  return { variance: (Math.max(0, sum) + fill * assumed) / (ownDf + fill), ownDf };
}
