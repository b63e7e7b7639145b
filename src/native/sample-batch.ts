import type { NativeBatch, NativeClass, NativeMethod, NativeName } from './addon.ts';
import { decodeIo, type IoBatch } from './io-batch.ts';
import { decodeMoments, decodeRows, type SampleMoment, type SampleRow } from './sample-rows.ts';
import { decodeWaits, type WaitBatch } from './wait-batch.ts';

export interface SampleBatch {
  /** Distinct frames of the batch, rows refer to them by index: addresses and, of unwound processes, what frameOf() reads. */
  readonly addresses: BigUint64Array;
  readonly rows: readonly SampleRow[];
  /** Of targets whose moments are kept. */
  readonly moments: readonly SampleMoment[];
  /** Every target of the batch, those without a sample included. */
  readonly targets: readonly TargetCounts[];
  /** What frames of unwound processes refer to by number, each once in a process's life. */
  readonly methods: readonly NativeMethod[];
  readonly names: readonly NativeName[];
  readonly classes: readonly NativeClass[];
  /** Undefined while nobody asks who waits. */
  readonly waits: WaitBatch | undefined;
  /** Undefined while nobody asks what is read and written. */
  readonly io: IoBatch | undefined;
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

// native/addon.cc, Take
const NUMBERS_PER_TARGET = 6;

/** Makes names of the addon's numbers. The rows stay views of its buffer. */
export function decodeBatch(batch: NativeBatch): SampleBatch {
  const { addresses, methods, names, classes } = batch;
  const rows = decodeRows(batch.rows, batch.rowCount);
  return {
    addresses,
    rows,
    moments: decodeMoments(batch, batch.rows, rows),
    targets: decodeTargets(batch.targets),
    methods,
    names,
    classes,
    waits: batch.waits && decodeWaits(batch.waits),
    io: batch.io && decodeIo(batch.io),
  };
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
