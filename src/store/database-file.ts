/** The SQLite file under the store: opened, verified, and moved aside when it is broken. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isCorruption, StoreError } from './store-error.ts';
import { SERVED_TABLE } from './stored-served.ts';
import { TIMES_TABLES } from './stored-times.ts';
import { beginWriting, endWriting, isWhole } from './written-by.ts';

export interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Random, kept in the file: another id means another file. */
  readonly storeId: string;
  /** True when a broken file, or one that may be, had to be moved aside first. */
  readonly replacedCorruptFile: boolean;
}

/** A file of another layout is replaced like a broken one: the store is a cache, agents send again. */
const LAYOUT = 5;
const PAGE_BYTES = 4096;
const WAL_BYTES = 16 * 1024 * 1024;

const TABLES = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE batch (
    node TEXT NOT NULL, boot TEXT NOT NULL, sequence INTEGER NOT NULL, receivedMs INTEGER NOT NULL,
    PRIMARY KEY (node, boot, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE string (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  -- frames, places: string ids as little-endian uint32, leaf first; a place of 0 is not known, no bytes: none is.
  -- One that was forgotten by known-ids.ts is here twice. AUTOINCREMENT: an id that was swept away is not another stack's later.
  CREATE TABLE stack (
    id INTEGER PRIMARY KEY AUTOINCREMENT, frames BLOB NOT NULL, places BLOB NOT NULL
  ) STRICT;
  -- counts: pairs of (stack id, samples) as little-endian uint32.
  -- requests: a RequestWindow as JSON; NULL when the agent did not watch any.
  -- javaSamples, interpretedSamples: NULL when the agent did not look.
  -- host: [pod, node, CPU model] as JSON; NULL in rows of before it was kept.
  -- AUTOINCREMENT: an id is never used again, so a larger one means stored later.
  CREATE TABLE window (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    podUid TEXT NOT NULL, container TEXT NOT NULL, startMs INTEGER NOT NULL, endMs INTEGER NOT NULL,
    podStartedAtMs INTEGER NOT NULL, hz INTEGER NOT NULL, samples INTEGER NOT NULL, lost INTEGER NOT NULL,
    cpuUsec INTEGER NOT NULL, throttledUsec INTEGER NOT NULL, flags TEXT NOT NULL, counts BLOB NOT NULL,
    requests TEXT, javaSamples INTEGER, interpretedSamples INTEGER, host TEXT,
    -- With its end, so that what a container's windows span is told by this index alone, and a look reads the rows of its block and
    -- no others: with their counts, rows of an hour are a hundred megabytes. Of one index, not two: rows of twenty pods touch twenty
    -- leaves of each.
    UNIQUE (podUid, container, startMs, endMs)
  ) STRICT;
  CREATE INDEX windowByEnd ON window (endMs);
  CREATE TABLE evaluationPod (
    evaluation TEXT NOT NULL, arm TEXT NOT NULL, podUid TEXT NOT NULL, container TEXT NOT NULL,
    seenMs INTEGER NOT NULL,
    PRIMARY KEY (evaluation, arm, podUid, container)
  ) STRICT, WITHOUT ROWID;
`;

/** Throws STORE_OPEN_FAILED when even a new file cannot be made (directory missing, disk full, no permission). */
export function openDatabase(path: string, maxBytes: number): OpenedDatabase {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const isFile = existsSync(path) && !statSync(path).isDirectory();
    const existing = isFile ? openExisting(path, maxBytes) : undefined;
    if (existing !== undefined) return { ...existing, replacedCorruptFile: false };
    const replacedCorruptFile = existsSync(path);
    if (replacedCorruptFile) moveAside(path);
    return { ...createDatabase(path, maxBytes), replacedCorruptFile };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('STORE_OPEN_FAILED', `the store ${path} cannot be opened: ${why}`, cause);
  }
}

/** To read only: whatever the file is, it stays as it is. Throws STORE_OPEN_FAILED for one that is no store of this layout. */
export function openDatabaseToRead(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    const layout = db.prepare('PRAGMA user_version').get()?.['user_version'];
    if (layout !== LAYOUT) throw new Error(`its layout is ${String(layout)}, not ${LAYOUT}`);
    return db;
  } catch (cause) {
    db?.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('STORE_OPEN_FAILED', `the store ${path} cannot be read: ${why}`, cause);
  }
}

/** Keeps one broken file for whoever wants to look into it; an older one goes. */
export function moveAside(path: string): void {
  const all = { force: true, recursive: true }; // whatever somebody has put there
  rmSync(`${path}.corrupt`, all);
  renameSync(path, `${path}.corrupt`);
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, all);
}

function openExisting(path: string, maxBytes: number): { db: DatabaseSync; storeId: string } | undefined {
  const db = new DatabaseSync(path);
  try {
    configure(db, maxBytes);
    const storeId = verified(db);
    if (storeId !== undefined) {
      beginWriting(db);
      return { db, storeId };
    }
  } catch (error) {
    if (!isCorruption(error)) {
      db.close();
      throw error;
    }
  }
  db.close();
  return undefined;
}

/** The store's id, or undefined when the file is broken, unfinished, of another layout, or of a machine that stopped while it was written. */
function verified(db: DatabaseSync): string | undefined {
  const layout = db.prepare('PRAGMA user_version').get()?.['user_version'];
  if (layout !== LAYOUT || !isWhole(db)) return undefined;
  if (db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok') return undefined;
  const id = db.prepare("SELECT value FROM meta WHERE key = 'storeId'").get()?.['value'];
  return typeof id === 'string' ? id : undefined;
}

function createDatabase(path: string, maxBytes: number): { db: DatabaseSync; storeId: string } {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
  configure(db, maxBytes);
  const storeId = randomUUID();
  // user_version goes into the same transaction: a kill in here leaves a file of another layout.
  db.exec(`BEGIN IMMEDIATE; ${TABLES} ${TIMES_TABLES} ${SERVED_TABLE} PRAGMA user_version = ${LAYOUT};`);
  db.prepare("INSERT INTO meta (key, value) VALUES ('storeId', ?)").run(storeId);
  db.exec('COMMIT');
  beginWriting(db);
  return { db, storeId };
}

/**
 * A commit is in the operating system's hands before it is acknowledged, so it survives a kill of this process; of a machine that stops,
 * see written-by.ts. A checkpoint comes every 16 MiB: pages of the indices that many commits change are written once.
 */
function configure(db: DatabaseSync, maxBytes: number): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 2000');
  db.exec('PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY');
  db.exec(
    `PRAGMA wal_autocheckpoint = ${WAL_BYTES / PAGE_BYTES}; PRAGMA journal_size_limit = ${2 * WAL_BYTES}`,
  );
  limitPages(db, maxBytes);
}

/** So that it is believed whatever happens to the machine. Where that fails, it is begun anew after the next start of the machine. */
export function closeDatabase(db: DatabaseSync): void {
  try {
    endWriting(db);
  } catch {
    // a full disk or a broken file: nothing that is not known by now
  }
  db.close();
}

/** The file grows no further; what it has beyond stays until it is freed. */
export function limitPages(db: DatabaseSync, maxBytes: number): void {
  db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`);
}
