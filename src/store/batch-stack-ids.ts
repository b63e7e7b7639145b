/** The stored ids of a batch's stacks, found without an object of their own for each: a batch has a thousand, of fifty frames. */
import type { Batch } from '../wire/batch-schema.ts';
import type { Interner } from './interning.ts';

/** Index of a stack in the batch → its id; each is asked for once, and only those that somebody asks for. */
export function batchStackIds(
  { places = [], stacks, strings }: Pick<Batch, 'places' | 'stacks' | 'strings'>,
  names: Interner,
): (index: number) => number {
  // Ids begin at 1.
  const idOfString = new Uint32Array(strings.length);
  const idOfStack = new Uint32Array(stacks.length);
  const words = new Uint32Array(1 + mostWords(stacks, places));
  const stringId = (index: number): number => {
    const known = idOfString[index] ?? 0;
    if (known !== 0) return known;
    const id = names.stringId(strings[index] ?? '[unknown]');
    idOfString[index] = id;
    return id;
  };
  const stackId = (frames: readonly number[], ofFrames: readonly number[]): number => {
    let size = 0;
    words[size++] = frames.length; // so that a frame is never taken for a place
    for (const frame of frames) words[size++] = stringId(frame);
    for (const place of ofFrames) words[size++] = place === 0 ? 0 : stringId(place - 1);
    return names.stackId(words, size);
  };
  return (index) => {
    const known = idOfStack[index] ?? 0;
    if (known !== 0) return known;
    const id = stackId(stacks[index] ?? [], places[index] ?? []);
    idOfStack[index] = id;
    return id;
  };
}

function mostWords(stacks: Batch['stacks'], places: NonNullable<Batch['places']>): number {
  let most = 0;
  for (const [index, { length }] of stacks.entries()) {
    most = Math.max(most, length + (places[index]?.length ?? 0));
  }
  return most;
}
