import type { NativeBatch, NativeClass, NativeMethod, NativeName } from './addon.ts';

export interface SampleBatch {
  /** Distinct frames of the batch, rows refer to them by index: addresses and, of unwound processes, what frameOf() reads. */
  readonly addresses: BigUint64Array;
  readonly rows: readonly SampleRow[];
  /** Every target of the batch, those without a sample included. */
  readonly targets: readonly TargetCounts[];
  /** What frames of unwound processes refer to by number, each once in a process's life. */
  readonly methods: readonly NativeMethod[];
  readonly names: readonly NativeName[];
  readonly classes: readonly NativeClass[];
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

/** What became of a target's samples since the last take: `seen` is `lost` plus the counts of its rows. */
export interface TargetCounts {
  readonly id: bigint;
  readonly seen: number;
  /** The ring or the table of stacks was full. */
  readonly lost: number;
  /** Seen in user space, without any user frame: kernel threads, a process that exits, memory not resident. */
  readonly noUserStack: number;
  /** A stack whose root is missing: deeper than the walk or the copy goes, or not to be unwound to its end. */
  readonly truncated: number;
}

// native/aggregate.h
const ROW_HEADER = 6;
// native/addon.cc, Take
const NUMBERS_PER_TARGET = 6;

/** Makes names of the addon's numbers. The rows stay views of its buffer. */
export function decodeBatch(batch: NativeBatch): SampleBatch {
  const { addresses, methods, names, classes } = batch;
  return {
    addresses,
    rows: decodeRows(batch),
    targets: decodeTargets(batch.targets),
    methods,
    names,
    classes,
  };
}

function decodeRows(batch: NativeBatch): readonly SampleRow[] {
  const rows = new Array<SampleRow>(batch.rowCount);
  let at = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const view = new RowView(batch.rows, at);
    rows[row] = view;
    at = view.end;
  }
  return rows;
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

function decodeTargets(numbers: BigUint64Array): readonly TargetCounts[] {
  const targets: TargetCounts[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_TARGET) {
    const [id = 0n, taken = 0n, ringFull = 0n, tableFull = 0n, noUserStack = 0n, truncated = 0n] =
      numbers.subarray(at, at + NUMBERS_PER_TARGET);
    const lost = Number(ringFull + tableFull);
    const seen = Number(taken) + lost;
    targets.push({ id, seen, lost, noUserStack: Number(noUserStack), truncated: Number(truncated) });
  }
  return targets;
}
