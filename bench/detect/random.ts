/** Seeded chance for millions of gates: a generator of 128 bits, because streams of a small one would overlap. */

export interface Chance {
  /** Even in [0, 1). */
  even(): number;
  normal(): number;
  poisson(mean: number): number;
  /** Student's t of `freedom` (whole, above 2), scaled to variance 1. */
  student(freedom: number): number;
}

/** sfc32 (Doty-Humphrey, PractRand): passes BigCrush; a stream of its own for each seed. */
export function chanceOf(...seed: readonly [number, number]): Chance {
  let [a, b] = seed;
  let c = 0x9e3779b9;
  let counter = 1;
  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let step = 0; step < 15; step++) bits(); // until the seed has reached all of the state
  const even = (): number => bits() / 2 ** 32;
  let spare = 0;
  let hasSpare = false;
  // Polar method (Marsaglia): two at a time, without a sine.
  const normal = (): number => {
    if (hasSpare) {
      hasSpare = false;
      return spare;
    }
    for (;;) {
      const x = 2 * even() - 1;
      const y = 2 * even() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      hasSpare = true;
      return x * factor;
    }
  };
  const poisson = (mean: number): number => {
    if (mean <= 0) return 0;
    // Cornish-Fisher to the second order: mean, variance and skew are right to a part in a thousand from 12 on.
    if (mean > 12) {
      const z = normal();
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * z + (z * z - 1) / 6));
    }
    const limit = Math.exp(-mean);
    let product = even();
    let count = 0;
    while (product > limit) {
      product *= even();
      count += 1;
    }
    return count;
  };
  const student = (freedom: number): number => {
    let squares = 0;
    const z = normal();
    for (let at = 0; at < freedom; at++) squares += normal() ** 2;
    return z * Math.sqrt((freedom - 2) / squares);
  };
  return { even, normal, poisson, student };
}

/** A number of 32 bits for a name (FNV-1a): seeds of cells. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash | 0;
}
