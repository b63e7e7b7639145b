/** How many samples each function was running in (self), and how many it was anywhere on the stack of (total). */
import type { StackCount } from './stack-counts.ts';

export interface FunctionCount {
  readonly self: number;
  /** A recursive function counts once per sample, so total never exceeds the profile's own total. */
  readonly total: number;
}

/** Counts by function name. A stack without frames counts for no function. */
export function functionCounts(stacks: Iterable<StackCount>): Map<string, FunctionCount> {
  const counts = new Map<string, { self: number; total: number }>();
  for (const { frames, count } of stacks) {
    const leaf = frames[0];
    for (const name of new Set(frames)) {
      const seen = counts.get(name);
      const self = name === leaf ? count : 0;
      if (seen === undefined) {
        counts.set(name, { self, total: count });
      } else {
        seen.self += self;
        seen.total += count;
      }
    }
  }
  return counts;
}
