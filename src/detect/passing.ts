import type { LookEvidence } from './look-evidence.ts';
import type { NodeEvidence } from './node-evidence.ts';
import { type EachNode, nodeIsTotal, type StackIndex } from './stack-index.ts';
import type { ArmTally } from './tally.ts';

const CONTAINED_PART = 0.95;
const MOST_OPEN = 50; // with more functions undecided there is nothing to pass yet; bounds the search below

/**
 * Candidates that may still have grown by the margin. A function is settled by its own upper bound, or by
 * that of a caller which holds nearly all of it: whether the JIT inlined a method in two pods of three moves
 * its samples in and out of its caller, and only the caller's share tells whether anything costs more.
 */
export function openCandidates(look: LookEvidence, index: StackIndex): NodeEvidence[] {
  const { margin } = look;
  const { canary, baseline } = look.context;
  const settled = (node: NodeEvidence): boolean => node.delta + node.half < margin;
  const open = look.upper.filter((node) => !settled(node));
  if (open.length === 0 || open.length > MOST_OPEN) return open;
  // A caller of share q that gains δ of CPU gains δ(1 − q) in share: the rest of the program shrinks beside it.
  const cannotHide = (node: NodeEvidence): boolean =>
    node.delta + node.half < margin * (1 - Math.max(node.canaryShare, node.baselineShare));
  const callers = look.upper.filter((node) => nodeIsTotal(node.node) && cannotHide(node));
  const eachCaller = index.among(new Set(callers.map(({ node }) => node)));
  const stacksOf = stacksThrough(new Set(open.map(({ node }) => node)), index);
  return open.filter(({ node }) => {
    const enough = {
      canary: CONTAINED_PART * (canary.counts[node] ?? 0),
      baseline: CONTAINED_PART * (baseline.counts[node] ?? 0),
    };
    const shared = sharedCounts(stacksOf.get(node) ?? [], eachCaller, look.context);
    return ![...shared].some(
      ([total, counts]) =>
        total !== node && counts.canary >= enough.canary && counts.baseline >= enough.baseline,
    );
  });
}

/** In one pass: there are thousands of stacks, and each look comes by here. */
function stacksThrough(nodes: ReadonlySet<number>, index: StackIndex): Map<number, number[]> {
  const found = new Map<number, number[]>([...nodes].map((node) => [node, []]));
  const each = index.among(nodes);
  for (let stack = 0; stack < index.stacks.length; stack++) {
    each(stack, (node) => found.get(node)?.push(stack));
  }
  return found;
}

interface SharedCounts {
  canary: number;
  baseline: number;
}

/** Samples of some stacks that each of a few nodes has too. */
function sharedCounts(
  stacks: readonly number[],
  eachNode: EachNode,
  { canary, baseline }: Readonly<Record<'canary' | 'baseline', ArmTally>>,
): Map<number, SharedCounts> {
  const shared = new Map<number, SharedCounts>();
  for (const stack of stacks) {
    const inCanary = canary.stackCounts[stack] ?? 0;
    const inBaseline = baseline.stackCounts[stack] ?? 0;
    if (inCanary + inBaseline === 0) continue;
    eachNode(stack, (node) => {
      const counts = shared.get(node) ?? { canary: 0, baseline: 0 };
      shared.set(node, counts);
      counts.canary += inCanary;
      counts.baseline += inBaseline;
    });
  }
  return shared;
}
