import type { LookEvidence } from './look-evidence.ts';
import type { NodeEvidence } from './node-evidence.ts';
import { nodeIsTotal, type StackIndex } from './stack-index.ts';
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
  const settledTotals = look.upper.filter((node) => nodeIsTotal(node.node) && cannotHide(node));
  return open.filter(({ node }) => {
    const inCanary = sharedCounts(node, canary, index);
    const inBaseline = sharedCounts(node, baseline, index);
    const holds = (total: number): boolean =>
      total !== node &&
      (inCanary.get(total) ?? 0) >= CONTAINED_PART * (canary.counts[node] ?? 0) &&
      (inBaseline.get(total) ?? 0) >= CONTAINED_PART * (baseline.counts[node] ?? 0);
    return !settledTotals.some((total) => holds(total.node));
  });
}

/** Samples that each other node has in common with one. */
function sharedCounts(node: number, arm: ArmTally, index: StackIndex): Map<number, number> {
  const shared = new Map<number, number>();
  for (const stack of index.stacks) {
    if (!stack.nodes.includes(node)) continue;
    const count = arm.stackCounts[stack.id] ?? 0;
    for (const other of stack.nodes) shared.set(other, (shared.get(other) ?? 0) + count);
  }
  return shared;
}
