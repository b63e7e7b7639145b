/** The rows of native/aggregate.h. */

import type { NativeMoments } from './addon.ts';

/** When a sample was taken, and of which thread. */
export interface SampleMoment {
  readonly row: SampleRow;
  /** Of the initial pid namespace. */
  readonly thread: number;
  /** CLOCK_MONOTONIC. Of a wait: when it began. */
  readonly atNs: number;
  /** Of a wait: nanoseconds. */
  readonly weight: number;
}

/** A stack and how often it was seen. `kernel` and `user` are indices into the addresses, leaf first. */
export interface SampleRow {
  /** The cgroup id or the pid, by the sampler's filter. */
  readonly target: bigint;
  /** Of the initial pid namespace. */
  readonly pid: number;
  readonly count: number;
  readonly kernel: Uint32Array;
  readonly user: Uint32Array;
}

const ROW_HEADER = 6; // native/aggregate.h

export function decodeRows(words: Uint32Array, rowCount: number): readonly SampleRow[] {
  const rows = new Array<SampleRow>(rowCount);
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    const view = new RowView(words, at);
    rows[row] = view;
    at = view.end;
  }
  return rows;
}

/** Of the targets for which they are kept. The rows are those that were made of `words`, in their order. */
export function decodeMoments(
  { momentRows, momentThreads, momentNs, momentWeights }: NativeMoments,
  words: Uint32Array,
  rows: readonly SampleRow[],
): readonly SampleMoment[] {
  if (momentRows.length === 0) return [];
  const rowAt = new Map<number, SampleRow>();
  let at = 0;
  for (const row of rows) {
    rowAt.set(at, row);
    at += ROW_HEADER + (words[at + 4] ?? 0) + (words[at + 5] ?? 0);
  }
  return Array.from(momentRows, (place, i) => ({
    row: rowAt.get(place),
    thread: momentThreads[i] ?? 0,
    atNs: momentNs[i] ?? 0,
    weight: momentWeights[i] ?? 0,
  })).filter((moment): moment is SampleMoment => moment.row !== undefined);
}

/** Two words a row instead of two typed arrays (of 200 bytes each): ten thousand rows are a usual window. */
class RowView implements SampleRow {
  readonly #words: Uint32Array;
  readonly #at: number;

  constructor(words: Uint32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  get target(): bigint {
    return BigInt(this.#word(0)) | (BigInt(this.#word(1)) << 32n);
  }

  get pid(): number {
    return this.#word(2);
  }

  get count(): number {
    return this.#word(3);
  }

  get kernel(): Uint32Array {
    const start = this.#at + ROW_HEADER;
    return this.#words.subarray(start, start + this.#word(4));
  }

  get user(): Uint32Array {
    const start = this.#at + ROW_HEADER + this.#word(4);
    return this.#words.subarray(start, start + this.#word(5));
  }

  get end(): number {
    return this.#at + ROW_HEADER + this.#word(4) + this.#word(5);
  }

  #word(index: number): number {
    return this.#words[this.#at + index] ?? 0;
  }
}
