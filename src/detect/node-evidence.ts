import { shareScore } from './deviance.ts';
import type { Dispersion, Spread } from './dispersion.ts';
import { logGrowthEValue } from './e-process.ts';
import { normalQuantile } from './quantiles.ts';
import type { ArmTally } from './tally.ts';

/** What both arms say about one node at one look. Shares are of CPU. */
export interface NodeEvidence {
  readonly node: number;
  readonly canaryShare: number;
  /** Rescaled by the size factor. */
  readonly baselineShare: number;
  readonly delta: number;
  readonly logE: number;
  /** Half-width of the interval around delta that covers at every look that may pass, BOUND_ALPHA on each side. */
  readonly half: number;
}

/** What is the same for all nodes of a look. */
export interface LookContext {
  readonly canary: ArmTally;
  readonly baseline: ArmTally;
  readonly dispersion: Dispersion;
  /** Multiplies the baseline's shares. */
  readonly scale: number;
  /** Standard errors of sampling noise in an interval: `boundFactor` over the looks that may pass. */
  readonly boundFactor: number;
  /** Standard errors of the pod lottery in an interval: a t quantile, for the few pods. */
  readonly podBoundFactor: number;
  /** By how much the pod lottery's error is widened in the test, for the same reason. */
  readonly podTestFactor: number;
  /** Level one function of the family is tested at: the family's alpha over the number of candidates. */
  readonly nodeAlpha: number;
}

// A growth of exactly the margin is passed in at most this part of evaluations (simulated: 1 and 6 of 100). At half
// of it, 20,000 samples an arm pass 58 % of harmless canaries against a 2 % margin instead of 70 %.
export const BOUND_ALPHA = 0.05;
const DETECTION_POWER = 0.9;

/** Weighs growth of one node against sampling noise, bursts, and the lottery of pods. */
export function weighNode(node: number, context: LookContext): NodeEvidence {
  const { canary, baseline } = context;
  return weighCounts(
    node,
    { canary: canary.counts[node] ?? 0, baseline: baseline.counts[node] ?? 0 },
    context,
  );
}

/** The same of any set of stacks that strays as a node does. */
export function weighCounts(
  node: number,
  counts: { readonly canary: number; readonly baseline: number },
  context: LookContext,
): NodeEvidence {
  const { canary, baseline, scale } = context;
  const baselineSize = baseline.samples / scale;
  const canaryShare = counts.canary / canary.samples;
  const baselineShare = Math.min(1, counts.baseline / baselineSize);
  const { spread, z, information, podVariance } = scoreOf(node, counts.canary, counts.baseline, context);
  const widened = podVariance * context.podTestFactor ** 2;
  return {
    node,
    canaryShare,
    baselineShare,
    delta: canaryShare - baselineShare,
    logE: logGrowthEValue(z, information, widened),
    half: halfWidthOf({ canaryShare, baselineShare, spread }, context),
  };
}

/** Standard errors between a node's samples in both arms, what they tell, and the lottery of pods they have to exceed. */
export function scoreOf(node: number, inCanary: number, inBaseline: number, context: LookContext) {
  const { canary, baseline, dispersion, scale } = context;
  const score = shareScore(
    { samples: inCanary, rest: canary.samples - inCanary },
    { samples: inBaseline, rest: Math.max(0, baseline.samples / scale - inBaseline) },
  );
  const spread = dispersion.spreads[node] ?? { overdispersion: 1, podVariance: 0 };
  return {
    spread,
    z: score.z / Math.sqrt(spread.overdispersion),
    information: score.information / spread.overdispersion,
    podVariance: spread.podVariance * (podConcentration(canary) + podConcentration(baseline)),
  };
}

/** Σ of squared pod weights: 1/pods when all carry the same, more when one carries most. */
export function podConcentration(arm: ArmTally): number {
  const known = concentrations.get(arm);
  if (known?.samples === arm.samples) return known.squares;
  let squares = 0;
  for (const pod of arm.pods.values()) squares += (pod.samples / arm.samples) ** 2;
  concentrations.set(arm, { samples: arm.samples, squares });
  return squares;
}

/** Every function of a look asks. It is another one once the arm has more samples. */
const concentrations = new WeakMap<ArmTally, { readonly samples: number; readonly squares: number }>();

/** Shares of any set of stacks in both arms, and their spread. */
export interface ShareNoise {
  readonly canaryShare: number;
  readonly baselineShare: number;
  readonly spread: Spread;
}

/**
 * Half-width of the interval around a difference of shares. The pod lottery is drawn once and stays, so
 * another look cannot make it worse: it takes a plain t bound. Sampling noise is new at every look and takes
 * the bound that holds at all looks that may pass. They are independent, so their squares add up.
 */
export function halfWidthOf(noise: ShareNoise, context: LookContext): number {
  const { sampling, pods } = variancesOf(noise, context);
  return Math.sqrt(context.podBoundFactor ** 2 * pods + context.boundFactor ** 2 * sampling);
}

/** Of a difference of shares: new at each look, and drawn once with the pods. */
export function variancesOf(
  noise: ShareNoise,
  context: LookContext,
): { readonly sampling: number; readonly pods: number } {
  const canaryBinomial = binomialOf(noise.canaryShare, context.canary.samples);
  const baselineBinomial = binomialOf(noise.baselineShare, context.baseline.samples);
  const sampling =
    noise.spread.overdispersion *
    (canaryBinomial / context.canary.samples + (baselineBinomial * context.scale) / context.baseline.samples);
  const pods =
    noise.spread.podVariance *
    (podConcentration(context.canary) * canaryBinomial ** 2 +
      podConcentration(context.baseline) * baselineBinomial ** 2);
  return { sampling, pods };
}

/** Variance of one sample; one more and one less in each arm, because a function never seen still has one. */
export function binomialOf(share: number, size: number): number {
  const atLeast = Math.min(Math.max(share, 1 / size), 1 - 1 / size);
  return atLeast * (1 - atLeast);
}

const HALVINGS = 30; // of [0, 1]: far below any digit that is shown

/**
 * Growth of a node that e-BH would reject by now with probability DETECTION_POWER. Searched for, because a growth brings
 * information of its own: a function that is hardly there needs few samples more, not a multiple of its odds.
 */
export function detectableGrowth(
  node: Pick<NodeEvidence, 'node' | 'baselineShare'>,
  context: LookContext,
): number {
  let low = 0;
  let high = 1 - node.baselineShare;
  for (let step = 0; step < HALVINGS; step++) {
    const growth = (low + high) / 2;
    if (isDetectable(growth, node, context)) high = growth;
    else low = growth;
  }
  return high;
}

/** Whether e-BH would reject a growth by now with this probability. */
export function isDetectable(
  growth: number,
  { node, baselineShare }: Pick<NodeEvidence, 'node' | 'baselineShare'>,
  context: LookContext,
  power = DETECTION_POWER,
): boolean {
  const { canary, baseline, scale, podTestFactor } = context;
  const inCanary = (baselineShare + growth) * canary.samples;
  const inBaseline = baselineShare * (baseline.samples / scale);
  const { z, information, podVariance } = scoreOf(node, inCanary, inBaseline, context);
  const unlucky = z - normalQuantile(power) * Math.sqrt(1 + information * podVariance);
  return (
    logGrowthEValue(unlucky, information, podVariance * podTestFactor ** 2) >= -Math.log(context.nodeAlpha)
  );
}
