/** The stored ids of a batch's stacks, found without an object of their own for each: a batch has thousands, of fifty frames. */
import type { Batch } from '../wire/batch-schema.ts';
import type { Interner } from './interning.ts';
import { beginOf, lengthOf, type PackedLists } from './packed-lists.ts';
import type { PackedTexts } from './packed-texts.ts';

/** A batch as it is read: its names and stacks packed, `places` as many as stacks or none. */
export type ReadBatch = Omit<Batch, 'stacks' | 'places' | 'strings'> & {
  readonly stacks: PackedLists;
  readonly places: PackedLists;
  readonly strings: PackedTexts;
};

/** Index of a stack in the batch → its id. */
export type StackIds = (index: number) => number;

/** Each is asked for once, and only those that somebody asks for. */
export function batchStackIds(
  { places, stacks, strings }: Pick<ReadBatch, 'places' | 'stacks' | 'strings'>,
  names: Interner,
): StackIds {
  // Ids begin at 1.
  const idOfString = new Uint32Array(strings.ends.length);
  const idOfStack = new Uint32Array(stacks.ends.length);
  const words = new Uint32Array(1 + mostWords(stacks, places));
  const intern = (index: number): number => {
    const id = names.stringId(strings, index);
    idOfString[index] = id;
    return id;
  };
  const stackId = (index: number): number => {
    let size = 0;
    words[size++] = lengthOf(stacks, index); // so that a frame is never taken for a place
    const end = stacks.ends[index] ?? 0;
    for (let at = beginOf(stacks, index); at < end; at++) {
      const frame = stacks.numbers[at] ?? 0;
      words[size++] = idOfString[frame] || intern(frame);
    }
    const placesEnd = places.ends[index] ?? 0;
    for (let at = beginOf(places, index); at < placesEnd; at++) {
      const place = places.numbers[at] ?? 0;
      words[size++] = place === 0 ? 0 : idOfString[place - 1] || intern(place - 1);
    }
    return names.stackId(words, size);
  };
  return (index) => {
    const known = idOfStack[index] ?? 0;
    if (known !== 0) return known;
    const id = stackId(index);
    idOfStack[index] = id;
    return id;
  };
}

function mostWords(stacks: PackedLists, places: PackedLists): number {
  let most = 0;
  for (let index = 0; index < stacks.ends.length; index++) {
    most = Math.max(most, lengthOf(stacks, index) + lengthOf(places, index));
  }
  return most;
}
