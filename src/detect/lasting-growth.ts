/**
 * What of a growth stays while pods serve more and more. A JVM that is asked for the thousandth time runs what it compiled for the
 * hundredth: on real pods (RESULTS) what a request costs more than in an old pod fell about as 1/n, n being the requests that a pod
 * has served. So growth is fitted as `lasting + young/n` by least squares: what warm-up alone would leave is zero, and as n grows
 * both are known ever better. The excuse ends by itself: the further n has come, the less `young` can explain.
 */

/** What one stretch of time showed. */
export interface GrowthAt {
  /** Requests a pod had served by then. */
  readonly served: number;
  /** What growth is counted in parts of: requests, samples. */
  readonly size: number;
  /** Counted beyond what was expected. */
  readonly excess: number;
  /** Of `excess`. */
  readonly variance: number;
}

export interface Lasting {
  readonly part: number;
  /** Its standard error by counting. */
  readonly error: number;
  /** By how much the variance of anything that is new in each stretch counts more in `part` than in the mean of all. */
  readonly inflation: number;
}

/** Sums over stretches, each times 1, 1/n and 1/n². */
export interface GrowthSums {
  readonly size: Powers;
  readonly excess: Powers;
  readonly variance: Powers;
}

export type Powers = readonly [number, number, number];

const LEAST_DETERMINANT = 1e-9; // of rounding

/** Undefined while every stretch has the same n: then nothing tells what lasts. */
export function lastingOf(sums: GrowthSums): Lasting | undefined {
  const [size, sizeX, sizeXX] = sums.size;
  const [excess, excessX] = sums.excess;
  const [variance, varianceX, varianceXX] = sums.variance;
  const determinant = size * sizeXX - sizeX ** 2;
  if (!(determinant > LEAST_DETERMINANT * size * sizeXX)) return undefined;
  const ofPart = sizeXX ** 2 * variance - 2 * sizeX * sizeXX * varianceX + sizeX ** 2 * varianceXX;
  return {
    part: (sizeXX * excess - sizeX * excessX) / determinant,
    error: Math.sqrt(Math.max(0, ofPart)) / determinant,
    inflation: (size * sizeXX) / determinant,
  };
}

export const plus = ([one, x, xx]: Powers, amount: number, served: number): Powers => {
  const inverse = 1 / Math.max(1, served);
  return [one + amount, x + amount * inverse, xx + amount * inverse ** 2];
};

export const NO_POWERS: Powers = [0, 0, 0];

export class LastingGrowth {
  #sums: GrowthSums = { size: NO_POWERS, excess: NO_POWERS, variance: NO_POWERS };

  add({ served, size, excess, variance }: GrowthAt): void {
    const sums = this.#sums;
    this.#sums = {
      size: plus(sums.size, size, served),
      excess: plus(sums.excess, excess, served),
      variance: plus(sums.variance, variance, served),
    };
  }

  get lasting(): Lasting | undefined {
    return lastingOf(this.#sums);
  }
}
