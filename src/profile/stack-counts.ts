/** Stacks with how often each was seen: the form every profile takes between sampling and judging. */

/** One stack, leaf first, and how many samples showed it. */
export interface StackCount {
  readonly frames: readonly string[];
  readonly count: number;
  /** Where each of the frames stood (place.ts), in their order; missing where that is known of none. */
  readonly places?: readonly string[];
}

/** All samples of a profile. */
export function totalCount(stacks: Iterable<StackCount>): number {
  let total = 0;
  for (const { count } of stacks) {
    total += count;
  }
  return total;
}

/** One profile of many: equal stacks at equal places become one, in the order they were first seen. */
export function mergeStacks(...profiles: readonly Iterable<StackCount>[]): StackCount[] {
  const merged = new Map<string, StackCount & { count: number }>();
  for (const profile of profiles) {
    for (const stack of profile) {
      // NUL ends every name the kernel, the JVM and ELF hand out, so it cannot be part of one.
      const key = [...stack.frames, ...(stack.places ?? [])].join('\0');
      const seen = merged.get(key);
      if (seen === undefined) {
        merged.set(key, { ...stack });
      } else {
        seen.count += stack.count;
      }
    }
  }
  return [...merged.values()];
}
