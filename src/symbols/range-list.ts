/** Address ranges as columns of numbers: twenty thousand methods a JVM, sixty thousand functions a kernel. */

export interface RangeColumns {
  readonly length: number;
  readonly starts: Float64Array<ArrayBuffer>;
  readonly sizes: Uint32Array<ArrayBuffer>;
  /** What the range stands for. */
  readonly values: Uint32Array<ArrayBuffer>;
}

export interface RangeList {
  /** False when the list is full. */
  add(start: number, size: number, value: number): boolean;
  readonly length: number;
  /** Hands the columns over; the list is empty then. */
  take(): RangeColumns;
}

const FIRST_ROOM = 1024;

/** Grows by transfer, which frees the old memory at once: garbage of this size would stand for minutes. */
export function createRangeList(maxLength: number): RangeList {
  const firstRoom = Math.min(FIRST_ROOM, maxLength);
  let columns = emptyColumns(firstRoom);
  let length = 0;
  return {
    add(start, size, value) {
      if (length === maxLength) return false;
      if (length === columns.length) columns = resized(columns, Math.min(maxLength, length * 2));
      columns.starts[length] = start;
      columns.sizes[length] = size;
      columns.values[length] = value;
      length++;
      return true;
    },
    get length() {
      return length;
    },
    take() {
      const taken = resized(columns, length);
      columns = emptyColumns(firstRoom);
      length = 0;
      return taken;
    },
  };
}

export function emptyColumns(length: number): RangeColumns {
  return {
    length,
    starts: new Float64Array(length),
    sizes: new Uint32Array(length),
    values: new Uint32Array(length),
  };
}

/** Frees the memory of columns that are not used any more, before the collector would. */
export function releaseColumns(columns: RangeColumns): void {
  resized(columns, 0);
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
  return index >= 0 && address - (ranges.starts[index] ?? 0) < (ranges.sizes[index] ?? 0) ? index : -1;
}

function resized({ starts, sizes, values }: RangeColumns, length: number): RangeColumns {
  return {
    length,
    starts: new Float64Array(starts.buffer.transfer(length * 8)),
    sizes: new Uint32Array(sizes.buffer.transfer(length * 4)),
    values: new Uint32Array(values.buffer.transfer(length * 4)),
  };
}
