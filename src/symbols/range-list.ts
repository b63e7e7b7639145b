/** Address ranges as columns of numbers, as they are met. */

export interface RangeColumns {
  readonly length: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** What the range stands for. */
  readonly values: Uint32Array;
}

export interface RangeList {
  /** False when the list is full. */
  add(start: number, end: number, value: number): boolean;
  readonly length: number;
  columns(): RangeColumns;
}

const FIRST_ROOM = 1024;

export function createRangeList(maxLength: number): RangeList {
  let starts = new Float64Array(Math.min(FIRST_ROOM, maxLength));
  let ends = new Float64Array(starts.length);
  let values = new Uint32Array(starts.length);
  let length = 0;
  const grow = () => {
    const room = Math.min(maxLength, starts.length * 2);
    starts = copied(new Float64Array(room), starts);
    ends = copied(new Float64Array(room), ends);
    values = copied(new Uint32Array(room), values);
  };
  return {
    add(start, end, value) {
      if (length === maxLength) return false;
      if (length === starts.length) grow();
      starts[length] = start;
      ends[length] = end;
      values[length] = value;
      length++;
      return true;
    },
    get length() {
      return length;
    },
    columns: () => ({
      length,
      starts: starts.slice(0, length),
      ends: ends.slice(0, length),
      values: values.slice(0, length),
    }),
  };
}

/** The index of the range that holds the address, of sorted disjoint ranges; -1 if none does. */
export function rangeAt(ranges: RangeColumns, address: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges.starts[middle] ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  const index = low - 1;
  return index >= 0 && address < (ranges.ends[index] ?? 0) ? index : -1;
}

function copied<T extends Float64Array | Uint32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
