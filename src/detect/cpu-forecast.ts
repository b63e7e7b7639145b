/**
 * What the functions of an evaluation will look like later: the same pods, sampled for longer, at this rate or another, or more
 * of them. Shares and the lottery of pods stay, the noise of sampling shrinks.
 */
import type { CpuEvaluation } from './cpu-evaluation.ts';
import { LARGEST_COMPARABLE_ERROR } from './decide-look.ts';
import type { Spread } from './dispersion.ts';
import type { LookEvidence } from './look-evidence.ts';
import { halfWidthOf, isDetectable, type LookContext, type NodeEvidence } from './node-evidence.ts';
import { openCandidates } from './passing.ts';
import { detectableInMost } from './report.ts';
import { nodeIsTotal, type StackIndex } from './stack-index.ts';
import type { ArmTally } from './tally.ts';

/** A time that has not come. */
export interface Later {
  /** Looks from now on. */
  readonly looks: number;
  /** Rate from now on; absent: as it is. */
  readonly hz?: number;
  /** So many times the canary pods, each with what one has now. */
  readonly canaries?: number;
}

export interface CpuForecast {
  /** Growth that will be seen with 90 % probability in nine of ten functions, as a share of CPU. */
  detectable(later: Later): number;
  /**
   * Whether half of the canaries in which one function takes so much more will have been failed: a function in the middle of
   * the CPU time, half of which is spent in functions that show it sooner.
   */
  proves(growth: number, later: Later): boolean;
  /** The least margin a harmless canary will be passed at, as a share of CPU. `luck`: see passes. */
  passes(later: Later, luck: Luck): boolean;
  /** The least margin that all functions will be below. */
  passable(later: Later): number;
}

/** Likely: estimates stray as far as they do now. Best: each comes out a standard error in favour of the canary. */
export type Luck = 'Likely' | 'Best';

/** Undefined while there is nothing to go by. */
export function forecastCpu(evaluation: CpuEvaluation): CpuForecast | undefined {
  const { evidence, index } = evaluation;
  if (evidence === undefined || evidence.candidates.length === 0) return undefined;
  const { candidates, upper, context, namedPart, margin } = evidence;
  const contextAt = (later: Later): LookContext => laterContext(evaluation, context, later);
  const now = contextAt({ looks: 0 });
  return {
    detectable: (later) => detectableInMost(candidates, contextAt(later)) * namedPart,
    proves(growth, later) {
      if (later.looks === 0) return false;
      const at = contextAt({ ...later, looks: later.looks - 1 }); // it has to be there at the next look too
      const own = candidates.filter(({ node }) => !nodeIsTotal(node)); // each sample once
      const seen = own.filter((node) => isDetectable(growth / namedPart, node, at, 0.5));
      return seen.length > 0 && 2 * sharesOf(seen) >= sharesOf(own);
    },
    passes(later, luck) {
      const at = contextAt(later);
      const error = evidence.sizeFactor.logError * Math.sqrt(1 / growthOf(evaluation, later));
      if (luck === 'Likely' && Number.isFinite(error) && error > LARGEST_COMPARABLE_ERROR) return false;
      const nodes = upper.map((node) => nodeAt(node, now, at, luck));
      return openAt(evidence, nodes, index).length === 0;
    },
    passable(later) {
      const at = contextAt(later);
      const nodes = upper.map((node) => nodeAt(node, now, at, 'Likely'));
      // By the functions that are open at this margin: those that a caller settles do not decide.
      const open = openAt({ ...evidence, margin }, nodes, index);
      return open.reduce((most, { delta, half }) => Math.max(most, delta + half), 0) * namedPart;
    },
  };
}

const sharesOf = (nodes: readonly NodeEvidence[]): number =>
  nodes.reduce((sum, { baselineShare }) => sum + baselineShare, 0);

const openAt = (
  evidence: LookEvidence,
  upper: readonly NodeEvidence[],
  index: StackIndex,
): readonly NodeEvidence[] => openCandidates({ ...evidence, upper }, index);

function nodeAt(node: NodeEvidence, now: LookContext, later: LookContext, luck: Luck): NodeEvidence {
  const noiseIn = (context: LookContext) => ({
    ...node,
    spread: context.dispersion.spreads[node.node] ?? { overdispersion: 1, podVariance: 0 },
  });
  const errorIn = (context: LookContext): number =>
    halfWidthOf(noiseIn(context), { ...context, boundFactor: 1, podBoundFactor: 1 });
  const score = luck === 'Best' ? -1 : node.delta / errorIn(now);
  return { ...node, delta: score * errorIn(later), half: halfWidthOf(noiseIn(later), later) };
}

/** By how much an arm's samples will have grown. */
function growthOf({ exposure }: CpuEvaluation, { looks, hz = exposure.hz }: Later): number {
  return 1 + (hz * looks) / exposure.hzLooks;
}

function laterContext(evaluation: CpuEvaluation, context: LookContext, later: Later): LookContext {
  const { exposure } = evaluation;
  const { looks, hz = exposure.hz, canaries = 1 } = later;
  const growth = growthOf(evaluation, later);
  // Bursts make as large a part of a block's samples stray at any rate: over sampling noise they grow with it.
  const mean = exposure.hzLooks / exposure.looks;
  const burst = (mean * exposure.hzLooks + hz * hz * looks) / (exposure.hzLooks + hz * looks) / mean;
  const spreads: Spread[] =
    burst === 1
      ? [...context.dispersion.spreads]
      : context.dispersion.spreads.map(({ overdispersion, podVariance }) => ({
          overdispersion: 1 + (overdispersion - 1) * burst,
          podVariance,
        }));
  return {
    ...context,
    dispersion: { ...context.dispersion, spreads },
    canary: grownArm(context.canary, growth, canaries),
    baseline: grownArm(context.baseline, growth, 1),
  };
}

function grownArm(arm: ArmTally, growth: number, copies: number): ArmTally {
  const pods = [...arm.pods].flatMap(([name, pod]) =>
    Array.from(
      { length: copies },
      (_, copy) => [`${name} ${copy}`, { ...pod, samples: pod.samples * growth }] as const,
    ),
  );
  return {
    ...arm,
    pods: new Map(pods),
    samples: arm.samples * growth * copies,
    allSamples: arm.allSamples * growth * copies,
  };
}
