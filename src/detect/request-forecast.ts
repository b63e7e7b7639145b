/** When a check of requests will be settled: the pods stay who they are, the noise of sampling and of waves shrinks. */
import type { Luck } from './cpu-forecast.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { FEWEST_REQUESTS } from './error-evidence.ts';
import { FEWEST_FOR_A_THRESHOLD, FEWEST_SLOWER } from './latency-evidence.ts';
import { concentrationOf } from './request-arms.ts';
import type { RequestCheckState } from './request-check.ts';
import type { RequestEvaluation } from './request-evaluation.ts';

/** Whether a check will pass a harmless canary so many looks from now on, with so many times the canary pods. */
export type RequestForecast = (looks: number, luck: Luck, canaries?: number) => boolean;

/** Undefined while no request came to both arms. */
export function forecastCheck(
  check: RequestCheckState,
  evaluation: RequestEvaluation,
): RequestForecast | undefined {
  const { arms } = evaluation;
  if (arms.looks === 0) return undefined;
  const growthOf = (looks: number): number => (arms.looks + looks) / arms.looks;
  if (check.evidence === undefined) {
    // Nothing passes before there are enough to weigh; what they will say is not known.
    return (looks, _, canaries = 1) =>
      looks > 0 && partSeen(check, evaluation) * growthOf(looks) * canaries >= 1;
  }
  const { effect, margin } = check.evidence;
  const noise = noiseOf(check, check.evidence, evaluation);
  const score = effect / Math.sqrt(noise.sampling + noise.pods);
  return (looks, luck, canaries = 1) => {
    if (looks === 0) return false; // it has to be below the margin two looks on
    const sampling = noise.sampling / growthOf(looks - 1) / canaries;
    const pods = noise.pods * (noise.ofCanaries / canaries + 1 - noise.ofCanaries);
    const half = Math.sqrt(noise.podBound ** 2 * pods + evaluation.boundFactor ** 2 * sampling);
    return (luck === 'Best' ? -1 : score) * Math.sqrt(sampling + pods) + half < margin;
  };
}

/** Of the requests it takes before a check says anything, the part that has come. */
function partSeen({ of }: RequestCheckState, { arms }: RequestEvaluation): number {
  switch (of.kind) {
    case 'latency':
      return (
        (1 - of.settings.quantile) *
        Math.min(arms.canary.answered / FEWEST_SLOWER, arms.baseline.seen / FEWEST_FOR_A_THRESHOLD)
      );
    case 'errors':
      return arms.canary.requests / FEWEST_REQUESTS;
    case 'cost':
      return 1;
  }
}

interface Noise {
  /** Variances now. */
  readonly sampling: number;
  readonly pods: number;
  /** Of the pods' variance, the part that more canary pods would divide. */
  readonly ofCanaries: number;
  readonly podBound: number;
}

/** What the half-width of a check's interval is made of. */
function noiseOf(
  { of, spread }: RequestCheckState,
  { half, baseline }: EffectEvidence,
  { arms, boundFactor }: RequestEvaluation,
): Noise {
  const canary = concentrationOf(arms.canary);
  const concentration = canary + concentrationOf(arms.baseline);
  // Of CPU a request no spread is kept: as if time could mend all of its noise.
  const known = of.kind === 'cost' ? undefined : spread?.of;
  const perUnit = of.kind === 'errors' ? baseline * (1 - baseline) : 1;
  const podBound = known?.factors.bound ?? 1;
  const pods = Math.min((known?.podVariance ?? 0) * concentration * perUnit ** 2, (half / podBound) ** 2);
  return {
    sampling: Math.max(0, half ** 2 - podBound ** 2 * pods) / boundFactor ** 2,
    pods,
    ofCanaries: canary / concentration,
    podBound,
  };
}
