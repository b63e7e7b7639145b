/** Lists of numbers in two arrays: a batch has thousands of stacks, and an array for each is more to make and to clear away than to read. */

export interface PackedLists {
  /** Of all lists, one after the other. */
  readonly numbers: Uint32Array;
  /** Where in `numbers` each list ends, and the next one begins. */
  readonly ends: Uint32Array;
}

/** A number that is larger than 32 bits hold becomes the largest that they do. */
export function packLists(lists: readonly (readonly number[])[]): PackedLists {
  const ends = new Uint32Array(lists.length);
  const numbers = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let size = 0;
  for (const [index, list] of lists.entries()) {
    for (const number of list) numbers[size++] = Math.min(number, 0xffff_ffff);
    ends[index] = size;
  }
  return { numbers, ends };
}

/** Where a list begins in `numbers`. */
export const beginOf = ({ ends }: PackedLists, index: number): number =>
  index === 0 ? 0 : (ends[index - 1] ?? 0);

/** Of one that is not there: 0. */
export const lengthOf = (lists: PackedLists, index: number): number =>
  index < lists.ends.length ? (lists.ends[index] ?? 0) - beginOf(lists, index) : 0;
