/** How many of each pod's requests had some property (were slower than a threshold, failed), by block of time. */

export interface Counted {
  readonly requests: number;
  readonly counted: number;
}

/** Pods by stretches of time of one length, a row for each pod; nothing where a pod served no request. */
export interface CountGrid {
  readonly pods: number;
  readonly columns: number;
  /** Number of the first column. */
  readonly first: number;
  readonly requests: Float64Array;
  readonly counted: Float64Array;
}

/** The same by stretches of `each` columns; those whose number is a multiple of it begin one. */
export function coarser(grid: CountGrid, each: number): CountGrid {
  const first = Math.floor(grid.first / each);
  const columns = grid.columns === 0 ? 0 : Math.floor((grid.first + grid.columns - 1) / each) - first + 1;
  const requests = new Float64Array(grid.pods * columns);
  const counted = new Float64Array(grid.pods * columns);
  for (let row = 0; row < grid.pods; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const from = row * grid.columns + column;
      const to = row * columns + Math.floor((grid.first + column) / each) - first;
      requests[to] = (requests[to] ?? 0) + (grid.requests[from] ?? 0);
      counted[to] = (counted[to] ?? 0) + (grid.counted[from] ?? 0);
    }
  }
  return { pods: grid.pods, columns, first, requests, counted };
}

interface Sum {
  requests: number;
  counted: number;
}

/** Of one pod, by block from its first on: arrays, because they are read at every block that ends. */
interface Row {
  first: number;
  readonly requests: number[];
  readonly counted: number[];
  readonly since: Sum;
}

export class PodCounts {
  readonly #pods = new Map<string, Row>();
  /** Of each pod since the evaluation began. */
  readonly #totals: Sum[] = [];
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** Blocks before the evaluation have negative numbers. */
  add(pod: string, block: number, { requests, counted }: Counted): void {
    if (requests === 0) return;
    const row = this.#rowOf(pod, block);
    const at = block - row.first;
    row.requests[at] = (row.requests[at] ?? 0) + requests;
    row.counted[at] = (row.counted[at] ?? 0) + counted;
    if (block < this.#first) this.#first = block;
    if (block > this.#last) this.#last = block;
    if (block < 0) return;
    row.since.requests += requests;
    row.since.counted += counted;
  }

  /** With a place for the block. */
  #rowOf(pod: string, block: number): Row {
    const known = this.#pods.get(pod);
    const row = known ?? { first: block, requests: [], counted: [], since: { requests: 0, counted: 0 } };
    if (known === undefined) {
      this.#pods.set(pod, row);
      this.#totals.push(row.since);
    }
    for (; block < row.first; row.first -= 1) {
      row.requests.unshift(0);
      row.counted.unshift(0);
    }
    while (row.requests.length <= block - row.first) {
      row.requests.push(0);
      row.counted.push(0);
    }
    return row;
  }

  /** Each pod's blocks with a number below `before`. */
  grid(before: number): CountGrid {
    const first = Number.isFinite(this.#first) ? this.#first : 0;
    const columns = Math.max(0, Math.min(this.#last, before - 1) - first + 1);
    const pods = this.#pods.size;
    const requests = new Float64Array(pods * columns);
    const counted = new Float64Array(pods * columns);
    let to = 0;
    for (const row of this.#pods.values()) {
      const offset = row.first - first;
      const length = Math.min(row.requests.length, columns - offset);
      for (let at = 0; at < length; at++) {
        requests[to + offset + at] = row.requests[at] ?? 0;
        counted[to + offset + at] = row.counted[at] ?? 0;
      }
      to += columns;
    }
    return { pods, columns, first, requests, counted };
  }

  /** Of how many pods something is known, and whether any of it is of before the evaluation. */
  get pods(): number {
    return this.#pods.size;
  }
  get hasHistory(): boolean {
    return this.#first < 0;
  }

  /** Each pod's name, with its sums since the evaluation began. */
  *byPod(): Generator<readonly [pod: string, since: Counted]> {
    for (const [pod, { since }] of this.#pods) yield [pod, since];
  }

  /** Each pod's sums since block `from`. */
  *since(from: number): Generator<readonly [pod: string, since: Counted]> {
    for (const [pod, { first, requests, counted }] of this.#pods) {
      const sum = { requests: 0, counted: 0 };
      for (let at = Math.max(0, from - first); at < requests.length; at++) {
        sum.requests += requests[at] ?? 0;
        sum.counted += counted[at] ?? 0;
      }
      yield [pod, sum];
    }
  }

  /** Sums of each pod since the evaluation began; they go on growing. */
  totals(): readonly Counted[] {
    return this.#totals;
  }
}
