/** How many of each pod's requests had some property (were slower than a threshold, failed), by block of time. */

export interface Counted {
  readonly requests: number;
  readonly counted: number;
}

export class PodCounts {
  readonly #pods = new Map<string, Map<number, { requests: number; counted: number }>>();

  /** Blocks before the evaluation have negative numbers. */
  add(pod: string, block: number, { requests, counted }: Counted): void {
    if (requests === 0) return;
    const blocks = this.#pods.get(pod) ?? new Map<number, { requests: number; counted: number }>();
    this.#pods.set(pod, blocks);
    const cell = blocks.get(block) ?? { requests: 0, counted: 0 };
    blocks.set(block, cell);
    cell.requests += requests;
    cell.counted += counted;
  }

  /** Sums over `blocksEach` blocks at a time, one list for each pod. */
  cells(blocksEach = 1): ReadonlyMap<number, Counted>[] {
    return [...this.#pods.values()].map((blocks) => {
      const sums = new Map<number, Counted>();
      for (const [block, { requests, counted }] of blocks) {
        const number = Math.floor(block / blocksEach);
        const sum = sums.get(number) ?? { requests: 0, counted: 0 };
        sums.set(number, { requests: sum.requests + requests, counted: sum.counted + counted });
      }
      return sums;
    });
  }

  /** Sums of each pod since the evaluation began. */
  totals(): Counted[] {
    return [...this.#pods.values()].map((blocks) => {
      const since = [...blocks].filter(([block]) => block >= 0).map(([, cell]) => cell);
      return {
        requests: since.reduce((sum, { requests }) => sum + requests, 0),
        counted: since.reduce((sum, { counted }) => sum + counted, 0),
      };
    });
  }
}
