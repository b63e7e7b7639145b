/**
 * The leader's cache of windows: what agents pushed in the last hour, on disk. SQLite with one row per container and
 * window and each name and stack once (1,000 windows × 300 stacks load in tens of milliseconds; profiles in pprof
 * would take seconds). Synchronous: a batch is a few milliseconds, and answered only after its commit.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Batch } from '../wire/batch-schema.ts';
import { batchStackIds, type ReadBatch } from './batch-stack-ids.ts';
import { closeDatabase, limitPages, moveAside, openDatabase } from './database-file.ts';
import { type Interner, interner } from './interning.ts';
import { packLists } from './packed-lists.ts';
import { packTexts } from './packed-texts.ts';
import { dropOld, dropOldest, tidy, usedBytes, windowsIn } from './retention.ts';
import { IdsSpent, isCorruption, isFull, StoreError } from './store-error.ts';
import { decodeServed, type StoredServed, servedWriter } from './stored-served.ts';
import { decodeTimes, type StoredTimes, type Times, timesWriter } from './stored-times.ts';
import { decodeWindow, type StoredWindow, windowIsOfUse, windowWriter } from './stored-window.ts';
import { sweep } from './sweep.ts';

export interface StoreOptions extends Partial<StoreLimits> {
  readonly now: () => number;
}

export interface StoreLimits {
  /** How long a window is kept; default 60 minutes, the same as the agents' spools. */
  readonly retentionMs: number;
  /** The database never grows past this; default 512 MiB. */
  readonly maxBytes: number;
}

export interface PodRef {
  readonly podUid: string;
  /** Absent: all its containers. */
  readonly container?: string;
}

export interface WindowQuery {
  readonly pods: readonly PodRef[];
  /** Windows that begin at or after `fromMs` and end at or before `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Only those of them that end later than this. */
  readonly endAfterMs?: number;
  /** Only windows with requests, and without their stacks: an hour of a pod's is read in a millisecond or two. */
  readonly requestsOnly?: boolean;
}

/** What is stored of one container, without reading its stacks. */
export interface WindowExtent {
  /** `podUid/container`. */
  readonly pod: string;
  readonly lastEndMs: number;
  /** Grows with every window stored, whatever time the window is of. */
  readonly newestId: number;
}

export interface AddedBatch {
  /** False: this (node, boot, sequence) had been stored before, and nothing changed. */
  readonly isNew: boolean;
  readonly windowsStored: number;
  /** Older than the retention, without a JVM, or without stacks because no gate asked for the pod. */
  readonly windowsLeftOut: number;
}

export type Arm = 'baseline' | 'canary';

export interface StoreStats {
  readonly windows: number;
  readonly bytes: number;
  readonly corruptFiles: number;
  readonly windowsDroppedEarly: number;
}

export interface WindowStore {
  /** Random, kept in the database: another id means that agents must send again. */
  storeId(): string;
  /** Returns after the commit. Throws STORE_FULL or STORE_WRITE_FAILED, and then nothing of the batch is kept. */
  addBatch(batch: Batch | ReadBatch): AddedBatch;
  /** Ordered by start, then by pod. Throws STORE_READ_FAILED. */
  windows(query: WindowQuery): StoredWindow[];
  /** What was waited in the query's windows, or what of reads, writes and syncs took long; ordered as they are. Throws STORE_READ_FAILED. */
  times(of: Times, query: Omit<WindowQuery, 'requestsOnly'>): StoredTimes[];
  /** Whose requests the samples of the query's windows belonged to; ordered as they are. Throws STORE_READ_FAILED. */
  served(query: Omit<WindowQuery, 'requestsOnly'>): StoredServed[];
  /** One for each container with windows in the query, in no order. Throws STORE_READ_FAILED. */
  extents(query: WindowQuery): WindowExtent[];
  /** How many windows of the query are newer than what `seen` says of their container, by `newestId`. Throws STORE_READ_FAILED. */
  countAfter(query: Omit<WindowQuery, 'requestsOnly'>, seen: ReadonlyMap<string, number>): number;
  /** Pods stay part of an evaluation after they are gone: their windows still speak. */
  rememberPods(evaluation: string, arm: Arm, pods: readonly Required<PodRef>[]): void;
  rememberedPods(evaluation: string, arm: Arm): readonly Required<PodRef>[];
  stats(): StoreStats;
  /** From now on; what is too old or too much by then goes with the next batch. */
  limit(limits: StoreLimits): void;
  close(): void;
}

const RETENTION_MS = 60 * 60_000;
const MAX_BYTES = 512 * 1024 * 1024;
const TIDY_EVERY_MS = 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;
/** Of a sweep with each batch: some milliseconds. */
const SWEEP_COST = 4_000;
/** Of its bound a store is to have no more, so that there is room for what comes before a sweep is through. */
const TARGET_PART = 0.8;
/** Of the windows that go by size before names are swept: it may be those that take the room. */
const MOST_WINDOWS_A_SWEEP = 0.1;

/** Opens the store at `path`; a broken file is moved to `path.corrupt` and a new one, with a new id, begun. */
export function openStore(path: string, options: StoreOptions): WindowStore {
  const limits = {
    retentionMs: options.retentionMs ?? RETENTION_MS,
    maxBytes: options.maxBytes ?? MAX_BYTES,
  };
  return new SqliteStore(path, options.now, limits);
}

type Row = Readonly<Record<string, unknown>>;

export const CHOSEN =
  'WHERE podUid = ? AND container >= ? AND container <= ? AND startMs >= ? AND endMs <= ? AND endMs > ?';

const ONLY_REQUESTS = `SELECT podUid, container, startMs, endMs, podStartedAtMs, hz, samples, lost, cpuUsec, throttledUsec,
  flags, host, x'' AS counts, requests, javaSamples, interpretedSamples FROM window ${CHOSEN} AND requests IS NOT NULL`;

interface Stored {
  readonly startMs: number;
  readonly pod: string;
}

export const byStart = (a: Stored, b: Stored): number =>
  a.startMs - b.startMs || (a.pod < b.pod ? -1 : Number(a.pod > b.pod));

/** Rows of each pod in turn. `sql` ends with CHOSEN. */
export function* rowsOf(db: DatabaseSync, sql: string, query: WindowQuery): Generator<Row> {
  const { pods, fromMs, toMs, endAfterMs = Number.MIN_SAFE_INTEGER } = query;
  const find = db.prepare(sql);
  for (const { podUid, container } of pods) {
    const names = container === undefined ? ['', '\u{10ffff}'] : [container, container];
    yield* find.iterate(podUid, ...names, fromMs, toMs, endAfterMs);
  }
}

/** Of what agents pushed both are read already, by src/controller/ingest. */
const packed = ({ stacks, places = [], strings, ...batch }: Batch | ReadBatch): ReadBatch => ({
  ...batch,
  stacks: 'ends' in stacks ? stacks : packLists(stacks),
  places: 'ends' in places ? places : packLists(places),
  strings: 'ends' in strings ? strings : packTexts(strings),
});

/** Prepared once: a batch would be a tenth dearer. */
const writersOf = (db: DatabaseSync) => ({
  insertBatch: db.prepare(
    'INSERT INTO batch (node, boot, sequence, receivedMs) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ),
  insertWindow: windowWriter(db),
  insertTimes: timesWriter(db),
  insertServed: servedWriter(db),
});

class SqliteStore implements WindowStore {
  readonly #path: string;
  readonly #now: () => number;
  #limits: StoreLimits;
  #db: DatabaseSync;
  #storeId: string;
  #interner: Interner;
  #writers: ReturnType<typeof writersOf>;
  #corruptFiles: number;
  #windowsDroppedEarly = 0;
  #windows: number;
  /** While it is too large: to so many windows it may shrink before the next sweep. */
  #fewestWindows: number | undefined;
  #tidiedAtMs = Number.NEGATIVE_INFINITY;
  #sweptAtMs: number;
  #sweep: Generator<number, void, void> | undefined;

  constructor(path: string, now: () => number, limits: StoreLimits) {
    this.#path = path;
    this.#now = now;
    this.#limits = limits;
    const opened = openDatabase(path, limits.maxBytes);
    this.#db = opened.db;
    this.#storeId = opened.storeId;
    this.#interner = interner(opened.db);
    this.#writers = writersOf(opened.db);
    this.#corruptFiles = opened.replacedCorruptFile ? 1 : 0;
    this.#sweptAtMs = now();
    this.#windows = windowsIn(opened.db);
  }

  storeId(): string {
    return this.#storeId;
  }

  addBatch(batch: Batch | ReadBatch): AddedBatch {
    return this.#guarded('STORE_WRITE_FAILED', () => {
      this.#maintain();
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const added = this.#insertBatch(packed(batch));
        this.#db.exec('COMMIT');
        this.#windows += added.windowsStored;
        return added;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  windows(query: WindowQuery): StoredWindow[] {
    return this.#guarded('STORE_READ_FAILED', () => {
      const select = query.requestsOnly ? ONLY_REQUESTS : `SELECT * FROM window ${CHOSEN}`;
      const rows = this.#rows(select, query);
      return Array.from(rows, (row) => decodeWindow(row, this.#interner)).sort(byStart);
    });
  }

  times(of: Times, query: Omit<WindowQuery, 'requestsOnly'>): StoredTimes[] {
    return this.#guarded('STORE_READ_FAILED', () => {
      const rows = this.#rows(`SELECT * FROM ${of} ${CHOSEN}`, query);
      return Array.from(rows, (row) => decodeTimes(row, this.#interner)).sort(byStart);
    });
  }

  served(query: Omit<WindowQuery, 'requestsOnly'>): StoredServed[] {
    return this.#guarded('STORE_READ_FAILED', () => {
      const rows = this.#rows(`SELECT * FROM served ${CHOSEN}`, query);
      return Array.from(rows, (row) => decodeServed(row, this.#interner)).sort(byStart);
    });
  }

  extents(query: WindowQuery): WindowExtent[] {
    const select = 'SELECT podUid, container, max(endMs) AS lastEndMs, max(id) AS newestId FROM window';
    return this.#guarded('STORE_READ_FAILED', () =>
      Array.from(this.#rows(`${select} ${CHOSEN} GROUP BY container`, query), (row) => ({
        pod: `${String(row['podUid'])}/${String(row['container'])}`,
        lastEndMs: Number(row['lastEndMs']),
        newestId: Number(row['newestId']),
      })),
    );
  }

  countAfter(query: Omit<WindowQuery, 'requestsOnly'>, seen: ReadonlyMap<string, number>): number {
    return this.#guarded('STORE_READ_FAILED', () => {
      let newer = 0;
      for (const row of this.#rows(`SELECT id, podUid, container FROM window ${CHOSEN}`, query)) {
        const newest = seen.get(`${String(row['podUid'])}/${String(row['container'])}`) ?? 0;
        if (Number(row['id']) > newest) newer += 1;
      }
      return newer;
    });
  }

  rememberPods(evaluation: string, arm: Arm, pods: readonly Required<PodRef>[]): void {
    this.#guarded('STORE_WRITE_FAILED', () => {
      const insert = this.#db.prepare(
        `INSERT INTO evaluationPod (evaluation, arm, podUid, container, seenMs) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET seenMs = excluded.seenMs`,
      );
      for (const pod of pods) insert.run(evaluation, arm, pod.podUid, pod.container, this.#now());
    });
  }

  rememberedPods(evaluation: string, arm: Arm): readonly Required<PodRef>[] {
    return this.#guarded('STORE_READ_FAILED', () =>
      this.#db
        .prepare('SELECT podUid, container FROM evaluationPod WHERE evaluation = ? AND arm = ?')
        .all(evaluation, arm)
        .map((row) => ({ podUid: String(row['podUid']), container: String(row['container']) })),
    );
  }

  stats(): StoreStats {
    return this.#guarded('STORE_READ_FAILED', () => ({
      windows: this.#windows,
      bytes: usedBytes(this.#db),
      corruptFiles: this.#corruptFiles,
      windowsDroppedEarly: this.#windowsDroppedEarly,
    }));
  }

  limit(limits: StoreLimits): void {
    this.#limits = limits;
    this.#tidiedAtMs = Number.NEGATIVE_INFINITY;
    this.#fewestWindows = undefined;
  }

  close(): void {
    if (this.#db.isOpen) closeDatabase(this.#db);
  }

  #rows(sql: string, query: WindowQuery): Generator<Row> {
    return rowsOf(this.#db, sql, query);
  }

  #insertBatch(batch: ReadBatch): AddedBatch {
    const { insertBatch, insertServed, insertTimes, insertWindow } = this.#writers;
    const { node, boot, sequence } = batch;
    const { changes } = insertBatch.run(node, boot, sequence, this.#now());
    if (changes === 0) return { isNew: false, windowsStored: 0, windowsLeftOut: 0 };
    const horizonMs = this.#now() - this.#limits.retentionMs;
    const wanted = batch.endMs < horizonMs ? [] : batch.pods.filter(windowIsOfUse);
    const idOf = batchStackIds(batch, this.#interner);
    let windowsStored = 0;
    for (const pod of wanted) {
      windowsStored += insertWindow(batch, pod, idOf) ? 1 : 0;
      insertTimes(batch, pod, idOf);
      insertServed(batch, pod, idOf);
    }
    return { isNew: true, windowsStored, windowsLeftOut: batch.pods.length - wanted.length };
  }

  /** A part of it with each batch: all at once was seconds of a large store, in which no lease is renewed. */
  #maintain(): void {
    const nowMs = this.#now();
    const horizonMs = nowMs - this.#limits.retentionMs;
    this.#windows -= dropOld(this.#db, horizonMs);
    const isTooLarge = this.#dropForSize();
    const hasToBeSwept = isTooLarge || nowMs - this.#sweptAtMs >= SWEEP_EVERY_MS;
    if (hasToBeSwept) this.#sweep ??= sweep(this.#db, this.#interner);
    this.#sweepOn(nowMs);
    if (nowMs - this.#tidiedAtMs < TIDY_EVERY_MS) return;
    this.#tidiedAtMs = nowMs;
    tidy(this.#db, horizonMs, nowMs);
    // Not before it has shrunk: SQLite would take the pages there are for the limit, and no batch any more.
    if (usedBytes(this.#db) <= this.#limits.maxBytes) limitPages(this.#db, this.#limits.maxBytes);
  }

  /** The oldest windows. True where it is names that have to go. */
  #dropForSize(): boolean {
    const part = (TARGET_PART * this.#limits.maxBytes) / usedBytes(this.#db);
    if (part >= 1) {
      this.#fewestWindows = undefined;
      return false;
    }
    // As if windows and names shrank alike.
    this.#fewestWindows ??= Math.floor(this.#windows * Math.min(1 - MOST_WINDOWS_A_SWEEP, part));
    const gone = dropOldest(this.#db, Math.max(0, this.#windows - this.#fewestWindows));
    this.#windows -= gone;
    this.#windowsDroppedEarly += gone;
    return this.#windows <= this.#fewestWindows;
  }

  #sweepOn(nowMs: number): void {
    for (let cost = 0; this.#sweep !== undefined && cost < SWEEP_COST; ) {
      const { done, value } = this.#nextOf(this.#sweep);
      cost += value ?? 0;
      if (done !== true) continue;
      this.#sweep = undefined;
      this.#sweptAtMs = nowMs;
      this.#fewestWindows = undefined;
    }
  }

  #nextOf(steps: Generator<number, void, void>): IteratorResult<number, void> {
    try {
      return steps.next();
    } catch (error) {
      this.#sweep = undefined;
      this.#interner.noteInto(undefined);
      this.#interner.forget(() => true); // nobody knows how far it came
      throw error;
    }
  }

  /** What was interned since the transaction began is gone, and its ids will be others'. */
  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    const last = Number(this.#db.prepare('SELECT max(id) AS id FROM stack').get()?.['id'] ?? 0);
    this.#interner.forget((id) => id > last);
  }

  /** Gives SQLite's errors a code; a file that broke while open, or has no ids left, is replaced at once, and agents send again. */
  #guarded<T>(code: 'STORE_WRITE_FAILED' | 'STORE_READ_FAILED', action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (isCorruption(cause) || cause instanceof IdsSpent) this.#startAnew();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError(isFull(cause) ? 'STORE_FULL' : code, `the store ${this.#path}: ${why}`, cause);
    }
  }

  #startAnew(): void {
    this.#db.close();
    moveAside(this.#path);
    const opened = openDatabase(this.#path, this.#limits.maxBytes);
    this.#db = opened.db;
    this.#storeId = opened.storeId;
    this.#interner = interner(opened.db);
    this.#writers = writersOf(opened.db);
    this.#sweep = undefined;
    this.#windows = windowsIn(opened.db);
    this.#fewestWindows = undefined;
    this.#corruptFiles += 1;
  }
}
