import { estimateDispersion } from './dispersion.ts';
import { rejectedByEbh } from './e-bh.ts';
import { isNewAndHot, NEW_PATH_SHARE } from './new-hot-path.ts';
import { BOUND_ALPHA, type LookContext, type NodeEvidence, weighNode } from './node-evidence.ts';
import { studentFactor, studentQuantile } from './quantiles.ts';
import { type SizeFactor, sizeFactor } from './size-factor.ts';
import { nodeIsTotal } from './stack-index.ts';
import type { Arms } from './tally.ts';

/** Everything one look says, before anyone decides. */
export interface LookEvidence {
  /** Part of an arm's CPU that is spent in stacks with a function: every other share here is a share of that part. */
  readonly namedPart: number;
  /** Tolerated growth. */
  readonly margin: number;
  /** What code that was not there may take. */
  readonly newPathShare: number;
  readonly context: LookContext;
  readonly sizeFactor: SizeFactor;
  readonly candidates: readonly NodeEvidence[];
  /** The same candidates, weighed so that an upper bound errs on the high side: what Passed rests on. */
  readonly upper: readonly NodeEvidence[];
  /** Candidates e-BH rejects, whose lower bound is above zero and whose estimate is above the margin, and paths that are new and hot. */
  readonly grown: readonly NodeEvidence[];
}

export interface Levels {
  /** Tolerated growth, as a share of CPU. */
  readonly margin: number;
  /** False discovery rate of e-BH over all functions and looks. */
  readonly familyAlpha: number;
  readonly boundFactor: number;
  readonly podVarianceFactor?: number;
}

const LEAST_SHARE = 0.002; // of either arm; below, a function is not worth a test
const LEAST_SAMPLES = 10; // of both arms; the deviance is near normal from here
// A caller of more than half of all CPU says more about what the rest did than about itself (its odds are the
// rest's, upside down), and its noise is the largest of all. What grows below it is seen below it.
const LARGEST_TOTAL = 0.5;

const SURE = 1.96; // standard errors

/** Weighs all candidates; undefined when an arm is empty. */
export function weighLook(arms: Arms, levels: Levels): LookEvidence | undefined {
  const { canary, baseline } = arms;
  const { familyAlpha, boundFactor } = levels;
  if (canary.samples === 0 || baseline.samples === 0) return undefined;
  // Of the arm that has more of it, the older one: else a canary that still compiles were given a wider margin.
  const namedPart = Math.max(canary.samples / canary.allSamples, baseline.samples / baseline.allSamples);
  const margin = levels.margin / namedPart;
  const newPathShare = NEW_PATH_SHARE / namedPart;
  const nodes = candidateNodes(arms);
  const dispersion = estimateDispersion([baseline, canary], levels.podVarianceFactor);
  const nodeAlpha = familyAlpha / Math.max(1, nodes.length);
  const bare = {
    canary,
    baseline,
    dispersion,
    boundFactor,
    podBoundFactor: studentQuantile(1 - BOUND_ALPHA, dispersion.degreesOfFreedom),
    podTestFactor: studentFactor(nodeAlpha, dispersion.degreesOfFreedom),
    nodeAlpha,
  };
  const unchanged = scaleOf(bare);
  // Scaled up only: where the canary does work the baseline does not, every unchanged function's share falls,
  // which hides a little growth but invents none; the other way round it would invent growth everywhere.
  const context = { ...bare, scale: Math.max(1, unchanged.factor) };
  const candidates = nodes.map((node) => weighNode(node, context));
  // An error of the size factor would lower the bounds of large callers by as much; only what is sure counts.
  const surelyShrunk = unchanged.factor * Math.exp(-SURE * unchanged.logError);
  const upperScale = Math.max(1, surelyShrunk);
  const upper =
    upperScale === context.scale
      ? candidates
      : nodes.map((node) => weighNode(node, { ...context, scale: upperScale }));
  const rejected = rejectedByEbh(
    candidates.map(({ logE }) => logE),
    familyAlpha,
  );
  const grown = rejected
    .map((index) => candidates[index])
    .filter((node) => node !== undefined)
    .filter(
      (node) =>
        (node.delta - node.half > 0 && node.delta > margin) || isNewAndHot(node, context, newPathShare),
    );
  return { namedPart, margin, newPathShare, context, sizeFactor: unchanged, candidates, upper, grown };
}

/** Functions that are frequent enough in an arm to be tested. */
export function candidateNodes({ canary, baseline }: Arms): number[] {
  const nodes: number[] = [];
  for (let node = 0; node < canary.counts.length; node++) {
    const inCanary = canary.counts[node] ?? 0;
    const inBaseline = baseline.counts[node] ?? 0;
    const baselineShare = inBaseline / baseline.samples;
    if (inCanary + inBaseline < LEAST_SAMPLES) continue;
    if (Math.max(inCanary / canary.samples, baselineShare) < LEAST_SHARE) continue;
    if (nodeIsTotal(node) && baselineShare > LARGEST_TOTAL) continue;
    nodes.push(node);
  }
  return nodes;
}

/** The size factor over functions' own samples; totals would count the same sample many times. */
function scaleOf({ canary, baseline, dispersion }: Omit<LookContext, 'scale'>): SizeFactor {
  const pods = 1 / canary.pods.size + 1 / baseline.pods.size;
  const pairs = [];
  for (let node = 0; node < canary.counts.length; node += 2) {
    const spread = dispersion.spreads[node] ?? { overdispersion: 1, podVariance: 0 };
    pairs.push({
      canary: canary.counts[node] ?? 0,
      baseline: baseline.counts[node] ?? 0,
      podVariance: spread.podVariance * pods,
      overdispersion: spread.overdispersion,
    });
  }
  return sizeFactor(pairs, { canary: canary.samples, baseline: baseline.samples });
}
