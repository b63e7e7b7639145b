/** The strings and stacks of a batch: each once, referred to by number. */
import { NOWHERE } from '../profile/place.ts';
import { type NamedFrame, TRUNCATED } from './window-names.ts';

export interface BatchStacks {
  readonly strings: string[];
  readonly stacks: number[][];
  /** Of each stack, as the wire has them. */
  readonly places: number[][];
  /** The number of a stack, leaf first; undefined when the batch is full. The same functions at other places are another stack. */
  add(frames: readonly NamedFrame[]): number | undefined;
}

const MAX_STRINGS = 131_072; // the bounds of src/wire/batch-schema.ts
const MAX_STACKS = 65_536;
const MAX_FRAMES = 1024;

export function createBatchStacks(): BatchStacks {
  const strings: string[] = [];
  const stacks: number[][] = [];
  const places: number[][] = [];
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
    places,
    add(frames) {
      if (strings.length + 2 * frames.length > MAX_STRINGS) return undefined;
      const bounded = withinBound(frames);
      const stack = bounded.map(({ name }) => indexOf(name));
      const ofStack = bounded.map(({ place }) => (place === NOWHERE ? 0 : indexOf(place) + 1));
      const key = `${stack.join(' ')}/${ofStack.join(' ')}`;
      const known = stackIndex.get(key);
      if (known !== undefined || stacks.length === MAX_STACKS) return known;
      stackIndex.set(key, stacks.length);
      places.push(ofStack.some((place) => place > 0) ? ofStack : []);
      return stacks.push(stack) - 1;
    },
  };
}

/** A stack that is too deep ends in the mark of those whose root is not known. */
function withinBound(frames: readonly NamedFrame[]): readonly NamedFrame[] {
  if (frames.length <= MAX_FRAMES) return frames;
  return [...frames.slice(0, MAX_FRAMES - 1), { name: TRUNCATED, place: NOWHERE }];
}
