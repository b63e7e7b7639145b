/** Stacks with times of one window of a container: what its threads waited for, and what of its reads, writes and syncs took long. */
import type { DatabaseSync } from 'node:sqlite';
import type { StackCount } from '../profile/stack-counts.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import type { ReadBatch, StackIds } from './batch-stack-ids.ts';
import { decodeIds, encodeIds, type Interner } from './interning.ts';

/** Tables, and the parts of a window they are of. */
export const TIMES = ['waiting', 'io'] as const;
export type Times = (typeof TIMES)[number];

export interface StoredTimes {
  /** `podUid/container`. */
  readonly pod: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly podStartedAtMs: number;
  /** Counts are nanoseconds. */
  readonly stacks: readonly StackCount[];
}

/** `stacks`: stack ids as little-endian uint32; `ns`: as many little-endian doubles. */
export const TIMES_TABLES = TIMES.map(
  (table) => `
  CREATE TABLE ${table} (
    podUid TEXT NOT NULL, container TEXT NOT NULL, startMs INTEGER NOT NULL, endMs INTEGER NOT NULL,
    podStartedAtMs INTEGER NOT NULL, stacks BLOB NOT NULL, ns BLOB NOT NULL,
    PRIMARY KEY (podUid, container, startMs)
  ) STRICT, WITHOUT ROWID;
`,
).join('');

/** Returns a function that stores one window's, if there are any. */
export function timesWriter(db: DatabaseSync): (batch: ReadBatch, pod: PodWindow, idOf: StackIds) => void {
  const inserts = TIMES.map((table) => ({
    table,
    insert: db.prepare(
      `INSERT INTO ${table} (podUid, container, startMs, endMs, podStartedAtMs, stacks, ns)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
  }));
  return ({ startMs, endMs }, pod, idOf) => {
    const { podUid, container, startedAtMs } = pod;
    for (const { table, insert } of inserts) {
      const counts = pod[table]?.counts ?? [];
      if (counts.length === 0) continue;
      const stacks = encodeIds(counts.map(([stack]) => idOf(stack)));
      const ns = encodeNumbers(counts.map(([, each]) => each));
      insert.run(podUid, container, startMs, endMs, startedAtMs, stacks, ns);
    }
  };
}

/** Of a row of such a table. A stack that is no longer there is left out. */
export function decodeTimes(row: Readonly<Record<string, unknown>>, names: Interner): StoredTimes {
  const ids = row['stacks'] instanceof Uint8Array ? decodeIds(row['stacks']) : [];
  const ns = row['ns'] instanceof Uint8Array ? decodeNumbers(row['ns']) : [];
  return {
    pod: `${String(row['podUid'])}/${String(row['container'])}`,
    startMs: Number(row['startMs']),
    endMs: Number(row['endMs']),
    podStartedAtMs: Number(row['podStartedAtMs']),
    stacks: ids.flatMap((id, i) => {
      const stack = names.stackOf(id);
      if (stack === undefined) return [];
      const { frames, places } = stack;
      return [{ frames, ...(places && { places }), count: ns[i] ?? 0 }];
    }),
  };
}

function encodeNumbers(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of numbers.entries()) view.setFloat64(index * 8, number, true);
  return bytes;
}

function decodeNumbers(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 3 }, (_, index) => view.getFloat64(index * 8, true));
}
