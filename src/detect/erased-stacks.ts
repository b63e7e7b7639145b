/**
 * Stacks without the functions that only one of the arms has. Where the JIT inlines a method, its frame and nothing else is
 * gone (of JVMs whose names come from a perf map): without it the stacks of both arms are the same, and cost the same.
 */
import type { LookContext } from './node-evidence.ts';
import { functionOf, type IndexedStack, nodeIsTotal, type StackIndex } from './stack-index.ts';

interface Counts {
  canary: number;
  baseline: number;
}

export interface ErasedStacks {
  /** What is left of the stacks that count for a node. */
  keysOf(node: number): ReadonlySet<string>;
  /** Samples of the stacks of which one of the keys is left. */
  countsOf(keys: ReadonlySet<string>, isCounted?: (stack: IndexedStack) => boolean): Counts;
  /** The same as shares of their arms. */
  sharesOf(keys: ReadonlySet<string>): Counts;
}

// Of its share in the other arm. A function that chance alone kept out of an arm is erased, too, which does no harm.
const VANISHED_PART = 0.1;

export function erasedStacks(index: StackIndex, context: LookContext): ErasedStacks {
  const { canary, baseline } = context;
  const vanished = vanishedFunctions(index, context);
  const keys = new Map<IndexedStack, string>();
  const byKey = Map.groupBy(index.stacks, (stack) => {
    const key = stack.identities.filter((name) => !vanished.has(name)).join('\n');
    keys.set(stack, key);
    return key;
  });
  const countsOf = (of: ReadonlySet<string>, isCounted?: (stack: IndexedStack) => boolean): Counts => {
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
    keysOf: (node) => new Set(index.through(node).map((stack) => keys.get(stack) ?? '')),
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
