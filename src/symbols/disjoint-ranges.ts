import { createRangeList, emptyColumns, type RangeColumns, releaseColumns } from './range-list.ts';

/**
 * Sorts ranges and resolves their overlaps: where two claim an address, the one that came later has it (a JVM puts
 * new code where old code was, and perf maps are only ever appended to). At most 2n - 1 ranges come of n. The columns
 * given are used up.
 */
export function disjointRanges(ranges: RangeColumns): RangeColumns {
  const order = sortedByStart(ranges);
  const result = alreadyDisjoint(ranges, order) ? picked(ranges, order) : swept(ranges, order);
  releaseColumns(ranges);
  return result;
}

/** Sorts ranges of which only the starts are known: each ends where the next begins, or where it says. Uses them up. */
export function rangesByStart(ranges: RangeColumns): RangeColumns {
  const sorted = picked(ranges, sortedByStart(ranges));
  releaseColumns(ranges);
  for (let i = 0; i + 1 < sorted.length; i++) {
    const gap = (sorted.starts[i + 1] ?? 0) - (sorted.starts[i] ?? 0);
    sorted.sizes[i] = Math.min(sorted.sizes[i] ?? 0, gap);
  }
  return sorted;
}

function sortedByStart({ length, starts }: RangeColumns): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  if (isSorted(starts, length)) return order;
  return order.sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0) || a - b);
}

function isSorted(starts: Float64Array, length: number): boolean {
  for (let i = 1; i < length; i++) if ((starts[i] ?? 0) < (starts[i - 1] ?? 0)) return false;
  return true;
}

function alreadyDisjoint(ranges: RangeColumns, order: Uint32Array): boolean {
  for (let i = 1; i < order.length; i++) {
    if ((ranges.starts[order[i] ?? 0] ?? 0) < endOf(ranges, order[i - 1] ?? 0)) return false;
  }
  return true;
}

function endOf({ starts, sizes }: RangeColumns, index: number): number {
  return (starts[index] ?? 0) + (sizes[index] ?? 0);
}

function picked(ranges: RangeColumns, order: Uint32Array): RangeColumns {
  const sorted = emptyColumns(ranges.length);
  for (let i = 0; i < sorted.length; i++) {
    const from = order[i] ?? 0;
    sorted.starts[i] = ranges.starts[from] ?? 0;
    sorted.sizes[i] = ranges.sizes[from] ?? 0;
    sorted.values[i] = ranges.values[from] ?? 0;
  }
  return sorted;
}

/** A sweep over the starts; of the ranges that are open, the latest is on top of a heap. */
function swept(ranges: RangeColumns, order: Uint32Array): RangeColumns {
  const result = createRangeList(2 * ranges.length);
  const open = createLatestHeap(ranges.length);
  let next = 0;
  let position = 0;
  const startOf = (i: number) => ranges.starts[order[i] ?? 0] ?? 0;
  while (next < order.length || open.size > 0) {
    if (open.size === 0) position = Math.max(position, startOf(next));
    while (next < order.length && startOf(next) <= position) open.push(order[next++] ?? 0);
    const top = open.top();
    const end = endOf(ranges, top);
    if (end <= position) {
      open.pop();
      continue;
    }
    const until = next < order.length ? Math.min(end, startOf(next)) : end;
    result.add(position, until - position, ranges.values[top] ?? 0);
    position = until;
  }
  return result.take();
}

/** A binary heap of indices, the greatest on top. */
function createLatestHeap(room: number) {
  const heap = new Uint32Array(room);
  let size = 0;
  const at = (i: number) => heap[i] ?? 0;
  const swap = (a: number, b: number) => {
    const held = at(a);
    heap[a] = at(b);
    heap[b] = held;
  };
  const sink = () => {
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= size) return;
      const greater = left + 1 < size && at(left + 1) > at(left) ? left + 1 : left;
      if (at(greater) <= at(parent)) return;
      swap(greater, parent);
      parent = greater;
    }
  };
  return {
    get size() {
      return size;
    },
    top: () => at(0),
    push(index: number) {
      let child = size++;
      heap[child] = index;
      while (child > 0 && at(child) > at((child - 1) >> 1)) {
        swap(child, (child - 1) >> 1);
        child = (child - 1) >> 1;
      }
    },
    pop() {
      heap[0] = at(--size);
      sink();
    },
  };
}
