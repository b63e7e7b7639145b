/** Stacks with how often each was seen: the form every profile takes between sampling and judging. */

/** One stack, leaf first, and how many samples showed it. */
export interface StackCount {
  readonly frames: readonly string[];
  readonly count: number;
}

/** All samples of a profile. */
export function totalCount(stacks: Iterable<StackCount>): number {
  let total = 0;
  for (const { count } of stacks) {
    total += count;
  }
  return total;
}

/** One profile of many: equal stacks become one, in the order they were first seen. */
export function mergeStacks(...profiles: readonly Iterable<StackCount>[]): StackCount[] {
  const merged = new Map<string, { frames: readonly string[]; count: number }>();
  for (const profile of profiles) {
    for (const { frames, count } of profile) {
      // NUL ends every name the kernel, the JVM and ELF hand out, so it cannot be part of one.
      const key = frames.join('\0');
      const seen = merged.get(key);
      if (seen === undefined) {
        merged.set(key, { frames, count });
      } else {
        seen.count += count;
      }
    }
  }
  return [...merged.values()];
}
