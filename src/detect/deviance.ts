/** A function's samples against everything else in one arm. `rest` may be fractional after rescaling. */
export interface ShareCount {
  readonly samples: number;
  readonly rest: number;
}

export interface ShareScore {
  /** Signed root of the deviance; standard normal when both shares are equal and samples independent. */
  readonly z: number;
  /** Fisher information about the log-odds ratio under equal shares. */
  readonly information: number;
}

/**
 * Scores "the canary's share is larger" from the 2×2 table (function, rest) × (canary, baseline). The rest
 * is in the table because shares sum to one: a frame that is on nearly every stack has a variance of
 * q(1−q), almost none, where a Poisson count would give it q and no such frame could ever be passed.
 */
export function shareScore(canary: ShareCount, baseline: ShareCount): ShareScore {
  const canaryTotal = canary.samples + canary.rest;
  const baselineTotal = baseline.samples + baseline.rest;
  const total = canaryTotal + baselineTotal;
  const share = total > 0 ? (canary.samples + baseline.samples) / total : 0;
  if (share <= 0 || share >= 1 || canaryTotal <= 0 || baselineTotal <= 0) return { z: 0, information: 0 };
  const deviance =
    2 *
    (excess(canary.samples, canaryTotal * share) +
      excess(canary.rest, canaryTotal * (1 - share)) +
      excess(baseline.samples, baselineTotal * share) +
      excess(baseline.rest, baselineTotal * (1 - share)));
  const sign = canary.samples / canaryTotal >= share ? 1 : -1;
  return {
    z: sign * Math.sqrt(Math.max(0, deviance)),
    information: (share * (1 - share) * canaryTotal * baselineTotal) / total,
  };
}

const excess = (observed: number, expected: number): number =>
  observed > 0 ? observed * Math.log(observed / expected) : 0;
