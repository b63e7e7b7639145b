import type { NativeWeighed } from './addon.ts';
import { decodeRows, type SampleRow } from './sample-rows.ts';

/** By the system call and by what its descriptor is of, in the order of enum fg_io_kind of bpf/io.h. */
export const IO_KINDS = ['fileRead', 'fileWrite', 'fileSync', 'socketReceive', 'socketSend'] as const;
export type IoKind = (typeof IO_KINDS)[number];

/** What was read, written and synced, since the last take. */
export interface IoBatch {
  /** Distinct frames, as frameOf() reads them; rows refer to them by index. */
  readonly addresses: BigUint64Array;
  readonly rows: readonly IoRow[];
  /** Every target that is asked about. */
  readonly targets: readonly IoTarget[];
}

/** A stack of slow calls, or of syncs. `count`: the calls it stands for. It has no kernel frames. */
export interface IoRow extends SampleRow {
  readonly kind: IoKind;
  /** How long all of them took. */
  readonly ns: number;
}

export interface IoTarget {
  readonly id: bigint;
  /** Calls that are in no total. */
  readonly unseen: number;
  /** Calls whose stacks were due and could not be had. */
  readonly lost: { readonly calls: number; readonly ns: number };
  /** Exact. */
  readonly totals: Readonly<Record<IoKind, IoTotal>>;
}

export interface IoTotal {
  readonly calls: number;
  /** Which are not among the calls. */
  readonly failed: number;
  readonly bytes: number;
  readonly ns: number;
  /** Calls by how long they took: below 1,024 ns, then up to twice as long each; the last has all that took longer. */
  readonly latency: readonly number[];
}

// native/addon.cc, IoOf
const BEFORE_TOTALS = 4;
const BEFORE_LATENCY = 4;
/** FG_IO_BUCKETS of bpf/io.h. */
export const IO_LATENCY_BUCKETS = 24;
const NUMBERS_PER_KIND = BEFORE_LATENCY + IO_LATENCY_BUCKETS;
const NUMBERS_PER_TARGET = BEFORE_TOTALS + NUMBERS_PER_KIND * IO_KINDS.length;
const NO_FRAMES = new Uint32Array(0);

export function decodeIo({ addresses, rows, rowCount, weights, targets }: NativeWeighed): IoBatch {
  return {
    addresses,
    rows: decodeRows(rows, rowCount).flatMap(({ target, pid, count, kernel, user }, i) => {
      const kind = IO_KINDS[Number(addresses[kernel[0] ?? 0] ?? 0n)];
      const ns = Number(weights[i] ?? 0n);
      return kind === undefined ? [] : [{ target, pid, count, kernel: NO_FRAMES, user, kind, ns }];
    }),
    targets: decodeTargets(targets),
  };
}

function decodeTargets(numbers: BigUint64Array): readonly IoTarget[] {
  const targets: IoTarget[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_TARGET) {
    const [id = 0n, unseen = 0n, calls = 0n, ns = 0n] = numbers.subarray(at, at + BEFORE_TOTALS);
    const totalAt = (kind: IoKind): IoTotal => {
      const place = at + BEFORE_TOTALS + NUMBERS_PER_KIND * IO_KINDS.indexOf(kind);
      return decodeTotal(numbers.subarray(place, place + NUMBERS_PER_KIND));
    };
    const totals = {
      fileRead: totalAt('fileRead'),
      fileWrite: totalAt('fileWrite'),
      fileSync: totalAt('fileSync'),
      socketReceive: totalAt('socketReceive'),
      socketSend: totalAt('socketSend'),
    };
    targets.push({
      id,
      unseen: Number(unseen),
      lost: { calls: Number(calls), ns: Number(ns) },
      totals,
    });
  }
  return targets;
}

function decodeTotal(numbers: BigUint64Array): IoTotal {
  const [calls = 0, failed = 0, bytes = 0, ns = 0, ...latency] = Array.from(numbers, Number);
  return { calls, failed, bytes, ns, latency };
}
