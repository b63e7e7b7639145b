/**
 * Where the cost of a growth may have come from: what shrank elsewhere by about as much. Names, numbers and places of code
 * change from version to version; what it costs together does not, unless something was made dearer.
 */
import { besides, callersOf, type StackDeltas } from './attribution.ts';
import type { ErasedStacks } from './erased-stacks.ts';
import type { LookEvidence } from './look-evidence.ts';
import { halfWidthOf, type NodeEvidence, variancesOf, weighCounts } from './node-evidence.ts';
import type { IndexedStack } from './stack-index.ts';
import type { CodeChange } from './verdict.ts';

/** Something that shrank while a function grew. */
export interface CostSource {
  readonly change: CodeChange;
  /** Whether it surely shrank. */
  readonly isProven: boolean;
  /** Log likelihood ratio: that it lost what the growth gained, against that it lost nothing. */
  readonly evidence: number;
  /** The growth and what shrank, weighed as if they were one function. */
  readonly together: NodeEvidence;
}

export interface Growth {
  readonly node: NodeEvidence;
  readonly look: LookEvidence;
  /** By the size factor itself. */
  readonly deltas: StackDeltas;
  readonly erased: ErasedStacks;
}

export interface Counts {
  canary: number;
  baseline: number;
}

// Of its own share: a function that kept less than this has gone, as one does that was renamed.
const GONE_PART = 0.2;
const NEW_PART = 0.1;
const SAME_SIZE = 2; // either way: a renamed function costs about what it did

// A growth is proven when chance helped it, so it looks larger than what it came from, and a source far less likely than not may
// be it still. But something among hundreds of functions always seems to have lost enough: a new function, which is proven
// within a minute or two, has to have a likely source, and a likelier one where most of the source would have stayed.
// Chosen on seeds other than those that are judged.
const LEAST_EVIDENCE = { related: -3, unrelated: { whole: -1, part: 1 } };
const WHOLE_SOURCE = 1.5; // times the growth
const LARGEST_SOURCE = 3; // times the growth: with less of it gone, what moved is less than the noise of what stayed

/** The likeliest source of a growth; undefined where none is likely enough. */
export function likeliestSource(growth: Growth): CostSource | undefined {
  const sources = [...functionsThatShrank(growth), ...sourcesByInlining(growth)];
  return sources.reduce<CostSource | undefined>(
    (likeliest, each) => (likeliest && likeliest.evidence >= each.evidence ? likeliest : each),
    undefined,
  );
}

function sourceOf(counts: Counts, node: number, change: CodeChange, growth: Growth): CostSource {
  const { context, sizeFactor } = growth.look;
  const scaled = { ...context, scale: sizeFactor.factor };
  const noise = {
    canaryShare: counts.canary / context.canary.samples,
    baselineShare: (counts.baseline * sizeFactor.factor) / context.baseline.samples,
    spread: context.dispersion.spreads[node] ?? { overdispersion: 1, podVariance: 0 },
  };
  const { sampling, pods } = variancesOf(noise, scaled);
  const gained = growth.node.delta;
  const shrank = noise.baselineShare - noise.canaryShare;
  const grown = growth.node.node;
  const both = {
    canary: (context.canary.counts[grown] ?? 0) + counts.canary,
    baseline: (context.baseline.counts[grown] ?? 0) + counts.baseline,
  };
  return {
    change,
    isProven: shrank > halfWidthOf(noise, scaled),
    evidence: (gained * (Math.min(shrank, gained) - gained / 2)) / (sampling + pods),
    together: weighCounts(grown, both, context),
  };
}

/** Functions, with what they call or without, beside the growth's own stacks. */
function functionsThatShrank(growth: Growth): CostSource[] {
  const { node, look, deltas } = growth;
  const shrunk = look.candidates.filter(
    ({ canaryShare, baselineShare }) =>
      canaryShare < baselineShare && baselineShare <= LARGEST_SOURCE * node.delta,
  );
  const beside = countsBeside(node.node, new Set(shrunk.map((each) => each.node)), growth);
  const isNew = node.baselineShare < NEW_PART * node.canaryShare;
  const caller = callersOf(node.node, deltas.index, deltas.canaryCounts)[0];
  const { baseline } = look.context;
  const found: CostSource[] = [];
  for (const each of shrunk) {
    const counts = beside.get(each.node);
    if (counts === undefined) continue;
    const source = sourceOf(counts, each.node, changeOf(each, node), growth);
    if (source.evidence <= LEAST_EVIDENCE.related) continue;
    const isRelated = !isNew || callersOf(each.node, deltas.index, baseline.stackCounts)[0] === caller;
    const isWhole = each.baselineShare <= WHOLE_SOURCE * node.delta;
    const { related, unrelated } = LEAST_EVIDENCE;
    const least = isRelated ? related : isWhole ? unrelated.whole : unrelated.part;
    if (source.evidence > least && !isInlined(each, node, growth.erased)) found.push(source);
  }
  return found;
}

const isGone = ({ canaryShare, baselineShare }: NodeEvidence): boolean =>
  canaryShare < GONE_PART * baselineShare;

function changeOf(source: NodeEvidence, growth: NodeEvidence): CodeChange {
  const isNew = growth.baselineShare < NEW_PART * growth.canaryShare;
  const ratio = growth.canaryShare / source.baselineShare;
  return isGone(source) && isNew && ratio < SAME_SIZE && ratio > 1 / SAME_SIZE ? 'Renamed' : 'CostMoved';
}

/** Whether the stacks of a function that is gone cost the same without its frame: then its loss matches no growth elsewhere. */
function isInlined(source: NodeEvidence, growth: NodeEvidence, erased: ErasedStacks): boolean {
  if (!isGone(source)) return false;
  const keys = erased.keysOf(source.node);
  const ofGrowth = erased.keysOf(growth.node);
  if ([...keys].some((key) => ofGrowth.has(key))) return false;
  const { canary, baseline } = erased.sharesOf(keys);
  return baseline - canary < (source.baselineShare - source.canaryShare) / 2;
}

function countsBeside(
  growth: number,
  nodes: ReadonlySet<number>,
  { look, deltas }: Growth,
): Map<number, Counts> {
  const { canary, baseline } = look.context;
  const found = new Map<number, Counts>();
  const isBeside = besides(growth, deltas.index);
  const each = deltas.index.among(nodes);
  for (let stack = 0; stack < isBeside.length; stack++) {
    if (isBeside[stack] === 0) continue;
    each(stack, (node) => {
      const counts = found.get(node) ?? { canary: 0, baseline: 0 };
      found.set(node, counts);
      counts.canary += canary.stackCounts[stack] ?? 0;
      counts.baseline += baseline.stackCounts[stack] ?? 0;
    });
  }
  return found;
}

/** What costs the growth would have if nothing had become a frame or stopped to be one: the stacks that are the same without those. */
function sourcesByInlining(growth: Growth): CostSource[] {
  const { node, erased, deltas } = growth;
  const isBeside = besides(node.node, deltas.index);
  const beside = ({ id }: IndexedStack): boolean => isBeside[id] === 1;
  const counts = erased.countsOf(erased.keysOf(node.node), beside);
  if (counts.baseline === 0) return [];
  const source = sourceOf(counts, node.node, 'InliningChanged', growth);
  return source.evidence > LEAST_EVIDENCE.related ? [source] : [];
}
