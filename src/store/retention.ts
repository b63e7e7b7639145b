/** Keeps the store young and small: windows go by age and by size, a few with each batch, then the names nobody refers to. */
import type { DatabaseSync } from 'node:sqlite';
import { WITH_STACKS } from './sweep.ts';

/** Pages given back to the file system at most at once, so that it stays short: 16 MiB. */
const VACUUM_PAGES = 4096;
/** More than a batch brings: of twenty pods twenty come, and as many go at most times. */
const MOST_AT_ONCE = 500;

/** Windows that are too old, some of them. Returns how many went. */
export function dropOld(db: DatabaseSync, horizonMs: number): number {
  const drop = db.prepare(
    'DELETE FROM window WHERE id IN (SELECT id FROM window WHERE endMs < ? ORDER BY endMs LIMIT ?)',
  );
  return Number(drop.run(horizonMs, MOST_AT_ONCE).changes);
}

/** The oldest windows, whatever their age. Returns how many went. */
export function dropOldest(db: DatabaseSync, most: number): number {
  const drop = db.prepare('DELETE FROM window WHERE id IN (SELECT id FROM window ORDER BY endMs LIMIT ?)');
  return Number(drop.run(Math.min(most, MOST_AT_ONCE)).changes);
}

/** What windows do not need any more that are gone. To be done now and then: it looks at all of these tables. */
export function tidy(db: DatabaseSync, horizonMs: number, nowMs: number): void {
  for (const table of WITH_STACKS) {
    db.prepare(`DELETE FROM ${table} WHERE endMs < max(?, (SELECT coalesce(min(endMs), 0) FROM window))`).run(
      horizonMs,
    );
  }
  db.prepare('DELETE FROM batch WHERE receivedMs < ?').run(horizonMs);
  // An evaluation may last a day (the longest deadline); its pods are a few rows.
  db.prepare('DELETE FROM evaluationPod WHERE seenMs < ?').run(nowMs - 25 * 3_600_000);
  db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
}

export const windowsIn = (db: DatabaseSync): number =>
  Number(db.prepare('SELECT count(*) AS n FROM window').get()?.['n'] ?? 0);

export function usedBytes(db: DatabaseSync): number {
  const pragma = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}
