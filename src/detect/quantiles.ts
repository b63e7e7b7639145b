import normal from '@stdlib/stats-base-dists-normal-quantile';
import studentT from '@stdlib/stats-base-dists-t-quantile';

/** The point a standard normal variable stays below with probability `p`. */
export function normalQuantile(p: number): number {
  return remembered(normals, p, () => normal(p, 0, 1));
}

/** The point a Student t variable stays below with probability `p`. */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  return remembered(students, `${p} ${degreesOfFreedom}`, () => studentT(p, degreesOfFreedom));
}

// Each is a search for a root, and the looks of an evaluation ask for the same few.
const normals = new Map<number, number>();
const students = new Map<string, number>();
const MOST_REMEMBERED = 1_000;

function remembered<K>(known: Map<K, number>, key: K, find: () => number): number {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= MOST_REMEMBERED) known.clear();
  const found = find();
  known.set(key, found);
  return found;
}

/** By how much a normal bound at level `alpha` must be widened when the variance was estimated. */
export function studentFactor(alpha: number, degreesOfFreedom: number): number {
  return studentQuantile(1 - alpha, degreesOfFreedom) / normalQuantile(1 - alpha);
}
