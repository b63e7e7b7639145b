/** Keeps the store young and small: windows go by age and by size, then the names nobody refers to. */
import type { DatabaseSync } from 'node:sqlite';
import { decodeIds } from './interning.ts';
import { TIMES } from './stored-times.ts';

export interface RetentionLimits {
  readonly retentionMs: number;
  /** Above this the oldest windows go, whatever their age. */
  readonly targetBytes: number;
}

/** Pages given back to the file system at most per sweep, so that one sweep stays short: 16 MiB. */
const VACUUM_PAGES = 4096;
/** Of the windows, when the store is too large: the oldest tenth per round. */
const ROUNDS = 10;
/** Tables beside that of windows that refer to stacks. */
const WITH_STACKS = [...TIMES, 'served'] as const;

export interface Pruned {
  /** Windows that went before their age was up. */
  readonly early: number;
  readonly goneStacks: ReadonlySet<number>;
}

/** Deletes what is too old or too much. */
export function prune(db: DatabaseSync, limits: RetentionLimits, nowMs: number): Pruned {
  const horizonMs = nowMs - limits.retentionMs;
  db.prepare('DELETE FROM window WHERE endMs < ?').run(horizonMs);
  for (const table of WITH_STACKS) db.prepare(`DELETE FROM ${table} WHERE endMs < ?`).run(horizonMs);
  db.prepare('DELETE FROM batch WHERE receivedMs < ?').run(horizonMs);
  // An evaluation may last a day (the longest deadline); its pods are a few rows.
  db.prepare('DELETE FROM evaluationPod WHERE seenMs < ?').run(nowMs - 25 * 3_600_000);
  let early = 0;
  const goneStacks = new Set<number>();
  for (let round = 0; round < ROUNDS && usedBytes(db) > limits.targetBytes; round++) {
    early += deleteOldestTenth(db);
    for (const stack of sweepInterned(db)) goneStacks.add(stack);
  }
  db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
  return { early, goneStacks };
}

export function usedBytes(db: DatabaseSync): number {
  const pragma = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}

function deleteOldestTenth(db: DatabaseSync): number {
  const result = db
    .prepare(
      `DELETE FROM window WHERE endMs <= (
         SELECT endMs FROM window ORDER BY endMs LIMIT 1 OFFSET (SELECT count(*) / 10 FROM window))`,
    )
    .run();
  for (const table of WITH_STACKS) {
    db.exec(`DELETE FROM ${table} WHERE endMs < (SELECT min(endMs) FROM window)`);
  }
  return Number(result.changes);
}

/** Deletes stacks no window refers to, and strings no stack refers to. Returns those stacks; interned ids known before may be gone. */
export function sweepInterned(db: DatabaseSync): readonly number[] {
  const stacks = new Set<number>();
  for (const { counts } of db.prepare('SELECT counts FROM window').iterate()) {
    if (!(counts instanceof Uint8Array)) continue;
    const ids = decodeIds(counts);
    for (let index = 0; index < ids.length; index += 2) stacks.add(ids[index] ?? 0);
  }
  for (const table of WITH_STACKS) {
    for (const { stacks: ids } of db.prepare(`SELECT stacks FROM ${table}`).iterate()) {
      for (const id of idsIn(ids)) stacks.add(id);
    }
  }
  const strings = new Set<number>();
  const deadStacks: number[] = [];
  for (const { id, frames, places } of db.prepare('SELECT id, frames, places FROM stack').iterate()) {
    if (!stacks.has(Number(id))) deadStacks.push(Number(id));
    else for (const string of [...idsIn(frames), ...idsIn(places)]) strings.add(string);
  }
  const deadStrings: number[] = [];
  for (const { id } of db.prepare('SELECT id FROM string').iterate()) {
    if (!strings.has(Number(id))) deadStrings.push(Number(id));
  }
  dropRows(db, { stack: deadStacks, string: deadStrings });
  return deadStacks;
}

function dropRows(db: DatabaseSync, dead: Readonly<Record<'stack' | 'string', readonly number[]>>): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const table of ['stack', 'string'] as const) {
      const drop = db.prepare(`DELETE FROM ${table} WHERE id = ?`);
      for (const id of dead[table]) drop.run(id);
    }
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

const idsIn = (blob: unknown): readonly number[] => (blob instanceof Uint8Array ? decodeIds(blob) : []);
