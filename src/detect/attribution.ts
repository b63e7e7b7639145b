import type { LookContext } from './node-evidence.ts';
import {
  functionOf,
  type IndexedStack,
  nodeIsTotal,
  type StackIndex,
  selfNode,
  totalNode,
} from './stack-index.ts';

/** How the shares of every distinct stack differ, canary against rescaled baseline. */
export interface StackDeltas {
  readonly index: StackIndex;
  readonly deltas: Float64Array;
  readonly canaryCounts: Float64Array;
}

/** Share of CPU each distinct stack gained; they add up over any set of stacks. */
export function stackDeltas(index: StackIndex, context: LookContext, scale: number): StackDeltas {
  const { canary, baseline } = context;
  const deltas = canary.stackCounts.map(
    (count, id) => count / canary.samples - (scale * (baseline.stackCounts[id] ?? 0)) / baseline.samples,
  );
  return { index, deltas, canaryCounts: canary.stackCounts };
}

const EXPLAINING_PART = 0.8;

/**
 * The node a growth is blamed on: the deepest function that holds at least 80 % of it. A thread's run method
 * grows by exactly what the codec below it grows by; nobody can mend run. Its own samples are named where
 * they hold the growth, else its total.
 */
export function deepestExplaining(node: number, deltas: StackDeltas): number {
  if (!nodeIsTotal(node)) return node;
  const through = stacksThrough(node, deltas);
  const whole = sumOf(through, deltas);
  let best = { functionId: functionOf(node), depth: 0 };
  for (const holder of functionsHolding(node, deltas)) {
    // What the function lost on other paths counts: it has to have grown itself, not just to be called from here.
    const grew = sumOf(stacksThrough(totalNode(holder.functionId), deltas), deltas);
    if (holder.depth > best.depth && grew >= EXPLAINING_PART * whole) best = holder;
  }
  const own = selfNode(best.functionId);
  const isThrough = new Set(through);
  const ownDelta = sumOf(
    stacksThrough(own, deltas).filter((stack) => isThrough.has(stack)),
    deltas,
  );
  return ownDelta >= EXPLAINING_PART * whole ? own : totalNode(best.functionId);
}

const stacksThrough = (node: number, deltas: StackDeltas): readonly IndexedStack[] =>
  deltas.index.through(node);

/** Functions called from a node's that hold at least 80 % of what the node gained, and how far below. */
export function functionsHolding(
  node: number,
  deltas: StackDeltas,
): { readonly functionId: number; readonly depth: number }[] {
  const through = stacksThrough(node, deltas);
  const whole = sumOf(through, deltas);
  return [...functionsBelow(node, through, deltas)]
    .filter(([, below]) => below.delta >= EXPLAINING_PART * whole)
    .map(([functionId, below]) => ({ functionId, depth: below.depthSum / Math.max(1, below.weight) }));
}

interface Below {
  delta: number;
  depthSum: number;
  weight: number;
}

function functionsBelow(
  node: number,
  through: readonly IndexedStack[],
  deltas: StackDeltas,
): Map<number, Below> {
  const own = functionOf(node);
  const found = new Map<number, Below>();
  for (const { id } of through) {
    const at = new Map<number, number>(); // of several the last one, nearest the root
    for (const [depth, functionId] of deltas.index.functionsOf(id).entries()) at.set(functionId, depth);
    const top = at.get(own) ?? -1;
    const count = deltas.canaryCounts[id] ?? 0;
    for (const [functionId, depth] of at) {
      if (functionId < 0 || functionId === own || depth >= top) continue;
      const sum = found.get(functionId) ?? { delta: 0, depthSum: 0, weight: 0 };
      found.set(functionId, sum);
      sum.delta += deltas.deltas[id] ?? 0;
      sum.depthSum += count * (top - depth);
      sum.weight += count;
    }
  }
  return found;
}

/** What a set of stacks gained together. */
export function sumOf(stacks: readonly IndexedStack[], deltas: StackDeltas): number {
  return stacks.reduce((sum, stack) => sum + (deltas.deltas[stack.id] ?? 0), 0);
}

/** The commonest stack that counts for a node in an arm, by that arm's counts; undefined when it has none. */
export function commonestStack(
  node: number,
  index: StackIndex,
  stackCounts: Float64Array,
): IndexedStack | undefined {
  let commonest: IndexedStack | undefined;
  let most = 0;
  for (const stack of index.through(node)) {
    const count = stackCounts[stack.id] ?? 0;
    if (count <= most) continue;
    commonest = stack;
    most = count;
  }
  return commonest;
}

/** A node's function by the name it goes by in the commonest stack through it: of lambdas that are one function, the commonest. */
export function nameInStacks(node: number, index: StackIndex, stackCounts: Float64Array): string {
  const identity = index.functions[functionOf(node)] ?? '';
  const stack = commonestStack(node, index, stackCounts);
  return stack?.frames[stack.identities.indexOf(identity)] ?? identity;
}

/** Functions that call a node's on an arm's commonest stack through it, nearest first. */
export function callersOf(node: number, index: StackIndex, stackCounts: Float64Array): number[] {
  const stack = commonestStack(node, index, stackCounts);
  if (stack === undefined) return [];
  const own = functionOf(node);
  const ids = new Map(
    stack.nodes.filter(nodeIsTotal).map((total) => [index.functions[functionOf(total)], functionOf(total)]),
  );
  const above = stack.identities.slice(stack.identities.indexOf(index.functions[own] ?? '') + 1);
  const callers = above.map((frame) => ids.get(frame)).filter((id) => id !== undefined);
  return [...new Set(callers)].filter((id) => id !== own);
}

/** By stack: 1 where it does not count for the node. */
export function besides(node: number, index: StackIndex): Uint8Array {
  const isBeside = new Uint8Array(index.stacks.length).fill(1);
  for (const { id } of index.through(node)) isBeside[id] = 0;
  return isBeside;
}
