/**
 * Commits do not wait for the disk. Whoever kills this process leaves them with the operating system; only a machine that stops takes
 * some of them away, and then the file may be a mixture of old and new pages that no check of SQLite's finds. So it says which boot of
 * a machine writes it, and on another one it is believed only if it was closed (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const KEY = 'writtenBy';
const CLOSED = 'nobody';

/** Random, of each start of this machine (random(4)). */
const thisBoot = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Whether all that was committed is in the file. */
export function isWhole(db: DatabaseSync): boolean {
  const writer = db.prepare('SELECT value FROM meta WHERE key = ?').get(KEY)?.['value'];
  return writer === CLOSED || writer === thisBoot();
}

/** From now on commits do not wait for the disk. */
export function beginWriting(db: DatabaseSync): void {
  mark(db, thisBoot());
  db.exec('PRAGMA synchronous = OFF');
}

/** All that was committed is on the disk when this returns. */
export function endWriting(db: DatabaseSync): void {
  mark(db, CLOSED);
}

/** Not in the write-ahead log alone, which is written over without waiting. */
function mark(db: DatabaseSync, writer: string): void {
  db.exec('PRAGMA synchronous = FULL');
  db.prepare(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  ).run(KEY, writer);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
