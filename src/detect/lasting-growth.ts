/**
 * What of a growth stays while pods serve more and more. A JVM that is asked for the thousandth time runs what it compiled for the
 * hundredth: on real pods (RESULTS) what a request costs more than in an old pod fell about as 1/n, n being the requests that a pod
 * has served. So growth is fitted as `lasting + young/n` by least squares: what warm-up alone would leave is zero, and as n grows
 * both are known ever better. The excuse ends by itself: the further n has come, the less `young` can explain.
 */

export interface Lasting {
  readonly part: number;
  /** Its standard error. */
  readonly error: number;
}

/** Sums over stretches, each times 1, 1/n and 1/n². */
export interface GrowthSums {
  readonly size: Powers;
  readonly excess: Powers;
  readonly variance: Powers;
}

export type Powers = readonly [number, number, number];

const LEAST_DETERMINANT = 1e-9; // of rounding

/** What is left of it by an `inverse` 1/n; of all that will ever be served, for 0. Undefined while every stretch has the same n: then nothing tells. */
export function lastingOf(sums: GrowthSums, inverse = 0): Lasting | undefined {
  const [size, sizeX, sizeXX] = sums.size;
  const [excess, excessX] = sums.excess;
  const [variance, varianceX, varianceXX] = sums.variance;
  const determinant = size * sizeXX - sizeX ** 2;
  if (!(determinant > LEAST_DETERMINANT * size * sizeXX)) return undefined;
  const [one, x] = [sizeXX - inverse * sizeX, inverse * size - sizeX];
  const ofPart = one ** 2 * variance + 2 * one * x * varianceX + x ** 2 * varianceXX;
  return {
    part: (one * excess + x * excessX) / determinant,
    error: Math.sqrt(Math.max(0, ofPart)) / determinant,
  };
}

/** `inverse`: 1/n. */
export const plus = ([one, x, xx]: Powers, amount: number, inverse: number): Powers => {
  return [one + amount, x + amount * inverse, xx + amount * inverse ** 2];
};

export const NO_POWERS: Powers = [0, 0, 0];
