/**
 * Stacks without the functions that only one of the arms has. Where the JIT inlines a method, its frame and nothing else is
 * gone (of JVMs whose names come from a perf map): without it the stacks of both arms are the same, and cost the same.
 */
import { CallTree, ROOT } from './call-tree.ts';
import type { LookContext } from './node-evidence.ts';
import { functionOf, type IndexedStack, nodeIsTotal, type StackIndex } from './stack-index.ts';

interface Counts {
  canary: number;
  baseline: number;
}

export interface ErasedStacks {
  /** What is left of the stacks that count for a node. */
  keysOf(node: number): ReadonlySet<number>;
  /** Samples of the stacks of which one of the keys is left. */
  countsOf(keys: ReadonlySet<number>, isCounted?: (stack: IndexedStack) => boolean): Counts;
  /** The same as shares of their arms. */
  sharesOf(keys: ReadonlySet<number>): Counts;
}

// Of its share in the other arm. A function that chance alone kept out of an arm is erased, too, which does no harm.
const VANISHED_PART = 0.1;

export function erasedStacks(index: StackIndex, context: LookContext): ErasedStacks {
  const { canary, baseline } = context;
  const keys = keysWithout(vanishedFunctions(index, context), index);
  const byKey = Map.groupBy(index.stacks, ({ id }) => keys[id] ?? ROOT);
  const known = new Map<number, ReadonlySet<number>>();
  const keysOf = (node: number): ReadonlySet<number> => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const found = new Set(index.through(node).map(({ id }) => keys[id] ?? ROOT));
    known.set(node, found);
    return found;
  };
  const countsOf = (of: ReadonlySet<number>, isCounted?: (stack: IndexedStack) => boolean): Counts => {
    const counts = { canary: 0, baseline: 0 };
    for (const key of of) {
      for (const stack of byKey.get(key) ?? []) {
        if (isCounted?.(stack) === false) continue;
        counts.canary += canary.stackCounts[stack.id] ?? 0;
        counts.baseline += baseline.stackCounts[stack.id] ?? 0;
      }
    }
    return counts;
  };
  return {
    keysOf,
    countsOf,
    sharesOf: (of) => {
      const counts = countsOf(of);
      return {
        canary: counts.canary / canary.samples,
        baseline: (counts.baseline * context.scale) / baseline.samples,
      };
    },
  };
}

/** By stack: what is left of it, as a place in a tree of what is left of all. */
function keysWithout(vanished: ReadonlySet<string>, index: StackIndex): Int32Array {
  const { paths, names, identities, stacks } = index;
  const isGone = identities.map((identity) => vanished.has(names[identity] ?? ''));
  const left = new CallTree();
  const placeOf = new Int32Array(paths.tree.size); // a caller has a smaller number than what it calls
  for (let place = 1; place < paths.tree.size; place++) {
    const name = paths.tree.names[place] ?? -1;
    const caller = placeOf[paths.tree.parents[place] ?? ROOT] ?? ROOT;
    placeOf[place] = isGone[name] === true ? caller : left.below(caller, identities[name] ?? name);
  }
  return Int32Array.from(stacks, ({ id }) => placeOf[paths.ends[id] ?? ROOT] ?? ROOT);
}

function vanishedFunctions(index: StackIndex, { canary, baseline }: LookContext): ReadonlySet<string> {
  const vanished = new Set<string>();
  for (let node = 0; node < canary.counts.length; node++) {
    if (!nodeIsTotal(node)) continue;
    const shares = [
      (canary.counts[node] ?? 0) / canary.samples,
      (baseline.counts[node] ?? 0) / baseline.samples,
    ];
    const name = index.functions[functionOf(node)];
    if (name !== undefined && Math.min(...shares) < VANISHED_PART * Math.max(...shares)) vanished.add(name);
  }
  return vanished;
}
