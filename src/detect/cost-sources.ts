/**
 * Where the cost of a growth may have come from: what shrank elsewhere by about as much. Names, numbers and places of code
 * change from version to version; what it costs together does not, unless something was made dearer.
 */
import { besides, type StackDeltas } from './attribution.ts';
import type { ErasedStacks } from './erased-stacks.ts';
import type { LookEvidence } from './look-evidence.ts';
import { halfWidthOf, type NodeEvidence, variancesOf, weighCounts } from './node-evidence.ts';
import type { IndexedStack } from './stack-index.ts';
import type { CodeChange } from './verdict.ts';

/** Something that shrank while a function grew. */
export interface CostSource {
  readonly change: CodeChange;
  /** Whether it may have shrunk by what the growth gained. */
  readonly isPossible: boolean;
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

// What moved left as much as came, give or take these errors of both. A growth is proven when chance helped it, so it looks
// larger than what it came from. Something among hundreds of functions always seems to have shrunk, too: a source larger than
// this is not looked for, because what moved would be less than the noise of what stayed, least of all for a new function, which
// is proven within a minute or two. Chosen on seeds other than those that are judged.
const ERRORS = { ofNew: 2, ofGrown: 2.5 };
const LARGEST_SOURCE = { ofNew: 2.2, ofGrown: 3 }; // times the growth
// Standard errors by which a function has shrunk for sure: of the hundred or two that are looked at, one in a hundred looks has one by chance.
const SURELY_SHRUNK = 3.8;

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
  const varianceAt = (canaryShare: number): number => {
    const { sampling, pods } = variancesOf({ ...noise, canaryShare }, scaled);
    return sampling + pods;
  };
  const gained = growth.node.delta;
  const shrank = noise.baselineShare - noise.canaryShare;
  const spread = context.dispersion.spreads[growth.node.node] ?? noise.spread;
  const ofGrowth = variancesOf({ ...growth.node, spread }, scaled);
  const least = leastPartLost(isNew(growth.node) ? ERRORS.ofNew : ERRORS.ofGrown, {
    gained,
    // Had it lost just that: what did not shrink has more noise, and would look the likelier a source for it.
    ofSource: varianceAt(Math.max(0, noise.baselineShare - gained)),
    ofGrowth: ofGrowth.sampling + ofGrowth.pods,
  });
  const grown = growth.node.node;
  const both = {
    canary: (context.canary.counts[grown] ?? 0) + counts.canary,
    baseline: (context.baseline.counts[grown] ?? 0) + counts.baseline,
  };
  const together = weighCounts(grown, both, context);
  const surelyShrank =
    isNew(growth.node) && shrank > SURELY_SHRUNK * Math.sqrt(varianceAt(noise.baselineShare));
  const isUnproven = together.logE < -Math.log(context.nodeAlpha);
  return {
    change,
    isPossible: shrank > 0 && (shrank >= least * gained || (surelyShrank && isUnproven)),
    isProven: shrank > halfWidthOf(noise, scaled),
    evidence: (gained * (Math.min(shrank, gained) - gained / 2)) / varianceAt(noise.canaryShare),
    together,
  };
}

interface SourceVariances {
  readonly gained: number;
  readonly ofSource: number;
  readonly ofGrowth: number;
}

/**
 * The part of what a growth gained that its true source is seen to have lost, less so many errors. Lost is compared with a part of
 * gained, so that part of the growth's noise counts: all of it would have a growth that looks small excused by what did not shrink.
 */
function leastPartLost(errors: number, { gained, ofSource, ofGrowth }: SourceVariances): number {
  // (1 - part)² gained² = errors² (ofSource + part² ofGrowth), and of both solutions the one below 1.
  const whole = gained ** 2;
  const beside = whole - errors ** 2 * ofGrowth;
  const left = whole - errors ** 2 * ofSource;
  if (beside <= 0 || left <= 0) return 0;
  return (whole - Math.sqrt(whole ** 2 - beside * left)) / beside;
}

/** Functions, with what they call or without, beside the growth's own stacks. */
function functionsThatShrank(growth: Growth): CostSource[] {
  const { node, look } = growth;
  const largest = node.delta * (isNew(node) ? LARGEST_SOURCE.ofNew : LARGEST_SOURCE.ofGrown);
  const shrunk = look.candidates.filter(
    ({ canaryShare, baselineShare }) => canaryShare < baselineShare && baselineShare <= largest,
  );
  const beside = countsBeside(node.node, new Set(shrunk.map((each) => each.node)), growth);
  const found: CostSource[] = [];
  for (const each of shrunk) {
    const counts = beside.get(each.node);
    if (counts === undefined) continue;
    const source = sourceOf(counts, each.node, changeOf(each, node), growth);
    if (source.isPossible && !isInlined(each, node, growth.erased)) found.push(source);
  }
  return found;
}

const isGone = ({ canaryShare, baselineShare }: NodeEvidence): boolean =>
  canaryShare < GONE_PART * baselineShare;

const isNew = ({ canaryShare, baselineShare }: NodeEvidence): boolean =>
  baselineShare < NEW_PART * canaryShare;

function changeOf(source: NodeEvidence, growth: NodeEvidence): CodeChange {
  const ratio = growth.canaryShare / source.baselineShare;
  return isGone(source) && isNew(growth) && ratio < SAME_SIZE && ratio > 1 / SAME_SIZE
    ? 'Renamed'
    : 'CostMoved';
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
  for (const node of nodes) {
    found.set(node, { canary: canary.counts[node] ?? 0, baseline: baseline.counts[node] ?? 0 });
  }
  const each = deltas.index.among(nodes);
  for (const { id } of deltas.index.through(growth)) {
    each(id, (node) => {
      const counts = found.get(node);
      if (counts === undefined) return;
      counts.canary -= canary.stackCounts[id] ?? 0;
      counts.baseline -= baseline.stackCounts[id] ?? 0;
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
  return source.isPossible ? [source] : [];
}
