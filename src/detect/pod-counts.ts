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

export class PodCounts {
  readonly #pods = new Map<string, { readonly blocks: Map<number, Sum>; readonly since: Sum }>();
  /** Of each pod since the evaluation began. */
  readonly #totals: Sum[] = [];
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** Blocks before the evaluation have negative numbers. */
  add(pod: string, block: number, { requests, counted }: Counted): void {
    if (requests === 0) return;
    const { blocks, since } = this.#cellsOf(pod);
    const cell = blocks.get(block);
    if (cell === undefined) blocks.set(block, { requests, counted });
    else {
      cell.requests += requests;
      cell.counted += counted;
    }
    this.#first = Math.min(this.#first, block);
    this.#last = Math.max(this.#last, block);
    if (block < 0) return;
    since.requests += requests;
    since.counted += counted;
  }

  #cellsOf(pod: string): { readonly blocks: Map<number, Sum>; readonly since: Sum } {
    const known = this.#pods.get(pod);
    if (known !== undefined) return known;
    const cells = { blocks: new Map<number, Sum>(), since: { requests: 0, counted: 0 } };
    this.#pods.set(pod, cells);
    this.#totals.push(cells.since);
    return cells;
  }

  /** Each pod's blocks with a number below `before`. */
  grid(before: number): CountGrid {
    const first = Number.isFinite(this.#first) ? this.#first : 0;
    const columns = Math.max(0, Math.min(this.#last, before - 1) - first + 1);
    const pods = this.#pods.size;
    const requests = new Float64Array(pods * columns);
    const counted = new Float64Array(pods * columns);
    let row = 0;
    for (const { blocks } of this.#pods.values()) {
      for (const [block, cell] of blocks) {
        if (block >= before) continue;
        requests[row * columns + block - first] = cell.requests;
        counted[row * columns + block - first] = cell.counted;
      }
      row += 1;
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

  /** Sums of each pod since the evaluation began; they go on growing. */
  totals(): readonly Counted[] {
    return this.#totals;
  }
}
