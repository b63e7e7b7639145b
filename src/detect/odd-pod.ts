/**
 * Is a growth that of all canary pods, or of one that is bad for itself? Two explanations with one number each: all pods are slower by
 * as much, or one is slower by anything and the others not at all. What likelihood each has is told by how far each
 * pod is from the baseline and how far pods stray anyway. To leave one pod out and ask the others for the same proof again would be
 * too much: of three equal pods that are all slower two never prove what three do.
 */

/** How far a canary pod is beyond the baseline, and the variance of that which is its own: which pod it is, its waves and requests. */
export interface PodGrowth {
  readonly name: string;
  readonly growth: number;
  readonly variance: number;
}

const LEAST_TO_BLAME_ONE = 3;
/**
 * The pod that explains the growth by itself; none where all of them do so better. `shared`: variance of the baseline they are all
 * compared with.
 */
export function oddPod(pods: readonly PodGrowth[], shared: number): PodGrowth | undefined {
  if (pods.length < LEAST_TO_BLAME_ONE) return undefined;
  // Squared scores, as generalized least squares have them for a covariance of Diag(variance) + shared.
  let weights = 0;
  let weighted = 0;
  for (const { growth, variance } of pods) {
    weights += 1 / variance;
    weighted += growth / variance;
  }
  const common = shared / (1 + shared * weights);
  const ofAll = weighted > 0 ? weighted ** 2 / (weights * (1 + shared * weights)) : 0;
  const scoreOf = ({ growth, variance }: PodGrowth): number => {
    const beyond = growth - common * weighted;
    return beyond > 0 ? beyond ** 2 / (variance - common) : 0;
  };
  const worst = pods.reduce((most, pod) => (scoreOf(pod) > scoreOf(most) ? pod : most));
  return scoreOf(worst) > ofAll ? worst : undefined;
}
