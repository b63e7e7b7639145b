/** Whose requests a container's samples of one window belonged to. */
import type { DatabaseSync } from 'node:sqlite';
import type { StackCount } from '../profile/stack-counts.ts';
import type { ServedRow } from '../requests/served-window.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import type { ReadBatch, StackIds } from './batch-stack-ids.ts';
import { decodeIds, encodeIds, type Interner } from './interning.ts';

export interface StoredServed {
  /** `podUid/container`. */
  readonly pod: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly podStartedAtMs: number;
  /** Samples a second of a CPU. */
  readonly hz: number;
  readonly otherSamples: number;
  readonly otherWaitedNs: number;
  readonly rows: readonly StoredServedRow[];
}

export interface StoredServedRow extends Omit<ServedRow, 'samples' | 'waited'> {
  readonly samples: readonly StackCount[];
  /** Counts are nanoseconds. */
  readonly waited: readonly StackCount[];
}

/** `stacks`: stack ids as little-endian uint32; `told`: the rest of a ServedWindow as JSON, where stacks are indices into them. */
export const SERVED_TABLE = `
  CREATE TABLE served (
    podUid TEXT NOT NULL, container TEXT NOT NULL, startMs INTEGER NOT NULL, endMs INTEGER NOT NULL,
    podStartedAtMs INTEGER NOT NULL, hz INTEGER NOT NULL, stacks BLOB NOT NULL, told TEXT NOT NULL,
    PRIMARY KEY (podUid, container, startMs)
  ) STRICT, WITHOUT ROWID;
`;

type Pairs = ServedRow['samples'];

/** Returns a function that stores one window's, if there is any. */
export function servedWriter(db: DatabaseSync): (batch: ReadBatch, pod: PodWindow, idOf: StackIds) => void {
  const insert = db.prepare(
    `INSERT INTO served (podUid, container, startMs, endMs, podStartedAtMs, hz, stacks, told)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  return ({ startMs, endMs }, { podUid, container, startedAtMs, hz, served }, idOf) => {
    if (served === undefined || served.rows.length === 0) return;
    const stacks = new Map<number, number>();
    const placeOf = (stack: number): number => {
      const known = stacks.get(stack);
      if (known !== undefined) return known;
      stacks.set(stack, stacks.size);
      return stacks.size - 1;
    };
    const placed = (pairs: Pairs): Pairs => pairs.map(([stack, count]) => [placeOf(stack), count]);
    const rows = served.rows.map((row) => ({
      ...row,
      samples: placed(row.samples),
      waited: placed(row.waited),
    }));
    const ids = encodeIds(Array.from(stacks.keys(), idOf));
    const told = JSON.stringify({ ...served, rows });
    insert.run(podUid, container, startMs, endMs, startedAtMs, hz, ids, told);
  };
}

/** Of a row of the table, which was checked when it came in. A stack that is no longer there is left out. */
export function decodeServed(row: Readonly<Record<string, unknown>>, names: Interner): StoredServed {
  const ids = row['stacks'] instanceof Uint8Array ? decodeIds(row['stacks']) : [];
  const told = JSON.parse(String(row['told']));
  const stacksOf = (pairs: Pairs): readonly StackCount[] =>
    pairs.flatMap(([place, count]) => {
      const stack = names.stackOf(ids[place] ?? 0);
      if (stack === undefined) return [];
      const { frames, places } = stack;
      return [{ frames, ...(places && { places }), count }];
    });
  const rows: readonly ServedRow[] = told.rows;
  return {
    pod: `${String(row['podUid'])}/${String(row['container'])}`,
    startMs: Number(row['startMs']),
    endMs: Number(row['endMs']),
    podStartedAtMs: Number(row['podStartedAtMs']),
    hz: Number(row['hz']),
    otherSamples: Number(told.otherSamples),
    otherWaitedNs: Number(told.otherWaitedNs),
    rows: rows.map((each) => ({ ...each, samples: stacksOf(each.samples), waited: stacksOf(each.waited) })),
  };
}
