/** The strings and stacks of a batch: each once, referred to by number. */
import { TRUNCATED } from './window-names.ts';

export interface BatchStacks {
  readonly strings: string[];
  readonly stacks: number[][];
  /** The number of a stack, leaf first; undefined when the batch is full. */
  add(names: readonly string[]): number | undefined;
}

const MAX_STRINGS = 131_072; // the bounds of src/wire/batch-schema.ts
const MAX_STACKS = 65_536;
const MAX_FRAMES = 1024;

export function createBatchStacks(): BatchStacks {
  const strings: string[] = [];
  const stacks: number[][] = [];
  const stringIndex = new Map<string, number>();
  const stackIndex = new Map<string, number>();

  const indexOf = (name: string): number => {
    const known = stringIndex.get(name);
    if (known !== undefined) return known;
    stringIndex.set(name, strings.length);
    return strings.push(name) - 1;
  };
  return {
    strings,
    stacks,
    add(names) {
      if (strings.length + names.length > MAX_STRINGS) return undefined;
      const stack = withinBound(names).map(indexOf);
      const key = stack.join(' ');
      const known = stackIndex.get(key);
      if (known !== undefined || stacks.length === MAX_STACKS) return known;
      stackIndex.set(key, stacks.length);
      return stacks.push(stack) - 1;
    },
  };
}

/** A stack that is too deep ends in the mark of those whose root is not known. */
function withinBound(names: readonly string[]): readonly string[] {
  return names.length <= MAX_FRAMES ? names : [...names.slice(0, MAX_FRAMES - 1), TRUNCATED];
}
