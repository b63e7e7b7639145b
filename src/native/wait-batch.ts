import type { NativeWaits } from './addon.ts';
import { WAIT_KINDS, type WaitKind } from './frame-word.ts';
import { decodeMoments, decodeRows, type SampleMoment, type SampleRow } from './sample-rows.ts';

/** Who waited, since the last take. */
export interface WaitBatch {
  /** Distinct frames; rows refer to them by index. A row has one kernel frame: what it waited for, as frameOf() reads it. */
  readonly addresses: BigUint64Array;
  readonly rows: readonly WaitRow[];
  /** Of targets whose moments are kept. */
  readonly moments: readonly SampleMoment[];
  /** Every target that is asked about. */
  readonly targets: readonly WaitTarget[];
}

/** A stack by which threads waited. `count`: how many waits of it. */
export interface WaitRow extends SampleRow {
  /** How long in all, by account of the scans; of each wait only what is beyond the least time. */
  readonly ns: number;
}

export interface WaitTarget {
  readonly id: bigint;
  /** Waited by the scans' account in stacks that could not be had. */
  readonly lostNs: number;
  /** All that was waited, by account of the kernel, beyond the least time of each wait. Exact. */
  readonly totals: Readonly<Record<WaitKind, WaitTotal>>;
}

export interface WaitTotal {
  readonly waits: number;
  readonly ns: number;
}

// native/addon.cc, WaitsOf
const BEFORE_TOTALS = 2;
const NUMBERS_PER_TARGET = BEFORE_TOTALS + 2 * WAIT_KINDS.length;

export function decodeWaits(waits: NativeWaits): WaitBatch {
  const { addresses, rowCount, weights, targets } = waits;
  const rows = decodeRows(waits.rows, rowCount).map((row, i) => withTime(row, Number(weights[i] ?? 0n)));
  return {
    addresses,
    rows,
    moments: decodeMoments(waits, waits.rows, rows),
    targets: decodeTargets(targets),
  };
}

function withTime(row: SampleRow, ns: number): WaitRow {
  const { target, pid, count, kernel, user } = row;
  return { target, pid, count, kernel, user, ns };
}

function decodeTargets(numbers: BigUint64Array): readonly WaitTarget[] {
  const targets: WaitTarget[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_TARGET) {
    const [id = 0n, lostNs = 0n] = numbers.subarray(at, at + BEFORE_TOTALS);
    const totalAt = (kind: WaitKind): WaitTotal => {
      const place = at + BEFORE_TOTALS + 2 * WAIT_KINDS.indexOf(kind);
      return { waits: Number(numbers[place] ?? 0n), ns: Number(numbers[place + 1] ?? 0n) };
    };
    const totals = {
      runqueue: totalAt('runqueue'),
      futex: totalAt('futex'),
      sleep: totalAt('sleep'),
      events: totalAt('events'),
      poll: totalAt('poll'),
      socket: totalAt('socket'),
      file: totalAt('file'),
      memory: totalAt('memory'),
      other: totalAt('other'),
    };
    targets.push({ id, lostNs: Number(lostNs), totals });
  }
  return targets;
}
