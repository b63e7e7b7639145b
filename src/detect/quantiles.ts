import normal from '@stdlib/stats-base-dists-normal-quantile';
import studentT from '@stdlib/stats-base-dists-t-quantile';

/** The point a standard normal variable stays below with probability `p`. */
export function normalQuantile(p: number): number {
  return normal(p, 0, 1);
}

/** The point a Student t variable stays below with probability `p`. */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  return studentT(p, degreesOfFreedom);
}

/** By how much a normal bound at level `alpha` must be widened when the variance was estimated. */
export function studentFactor(alpha: number, degreesOfFreedom: number): number {
  return studentQuantile(1 - alpha, degreesOfFreedom) / normalQuantile(1 - alpha);
}
