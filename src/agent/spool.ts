/**
 * The batches of the last hour, or as long as the install says, on disk, one gzipped file each: a controller that was away, or has lost its store, gets
 * them (again). A file is `<boot>-<sequence>.json.gz`, then `….sent`, or `….refused` if it must not be sent again.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Batch } from '../wire/batch-schema.ts';
import { AgentError, codeOf, messageOf } from './agent-error.ts';
import { batchJson } from './batch-json.ts';

export interface SpooledBatch {
  readonly id: string;
  readonly bytes: number;
  readonly writtenMs: number;
  readonly state: 'waiting' | 'sent' | 'refused';
}

export interface SpoolLimits {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

export interface Spool {
  /** Batches that were dropped unsent, since the agent started. */
  readonly dropped: number;
  /** Oldest first, by the node's clock of when they were written. */
  entries(): readonly SpooledBatch[];
  /** From the next batch on. */
  limit(limits: SpoolLimits): void;
  /** Writes a batch and drops what is too old or too much. */
  add(batch: Batch, nowMs: number): Promise<void>;
  nextWaiting(): SpooledBatch | undefined;
  /** To be read to its end, or destroyed. Undefined of one whose file somebody took away: it is dropped then. */
  read(entry: SpooledBatch): Promise<Readable | undefined>;
  mark(entry: SpooledBatch, state: 'sent' | 'refused'): Promise<void>;
  /** Everything is to be sent again. */
  markAllWaiting(): Promise<void>;
  /** The store identity last heard of; kept on disk, for a store may be lost while the agent is away. */
  readonly store: string | undefined;
  setStore(store: string): Promise<void>;
}

const MAX_AGE_MS = 60 * 60_000;
const MAX_FILES = 8_700; // a day of ten-second windows, the longest that may be kept; an hour of one-second ones and more
const FILE = /^([\w-]+-\d+)\.json\.gz(?:\.(sent|refused))?$/;

interface Kept extends SpooledBatch {
  /** Since when, by a clock that nobody sets: a node's that jumps takes nothing away, and nothing stays for ever. */
  readonly sinceMs: number;
}

/** Throws AGENT_SPOOL_UNUSABLE. */
export async function openSpool(
  directory: string,
  maxBytes: number,
  monotonicNow: () => number = () => performance.now(),
): Promise<Spool> {
  const entries = await usable(directory, () => listed(directory, monotonicNow()));
  let store = await readFile(`${directory}/store`, 'utf8').catch(() => undefined);
  let dropped = 0;
  let limits: SpoolLimits = { maxAgeMs: MAX_AGE_MS, maxBytes };
  const fileOf = ({ id, state }: Pick<SpooledBatch, 'id' | 'state'>) =>
    `${directory}/${id}.json.gz${state === 'waiting' ? '' : `.${state}`}`;
  const replace = async (entry: SpooledBatch, state: SpooledBatch['state']) => {
    const at = () => entries.findIndex(({ id }) => id === entry.id);
    const before = entries[at()];
    if (before === undefined) return; // dropped meanwhile
    const after = { ...before, state };
    await rename(fileOf(before), fileOf(after)).catch((error: unknown) => {
      if (at() >= 0) throw error;
    });
    const index = at(); // others may have come or gone
    if (index < 0) await rm(fileOf(after), { force: true });
    else entries[index] = after;
  };
  const prune = async () => {
    const horizonMs = monotonicNow() - limits.maxAgeMs;
    let bytes = entries.reduce((total, entry) => total + entry.bytes, 0);
    for (;;) {
      const isTooMuch = bytes > limits.maxBytes || entries.length > MAX_FILES;
      const index = isTooMuch ? 0 : entries.findIndex(({ sinceMs }) => sinceMs < horizonMs);
      const [going] = index < 0 ? [] : entries.splice(index, 1);
      if (going === undefined) return;
      bytes -= going.bytes;
      if (going.state === 'waiting') dropped++;
      await rm(fileOf(going), { force: true });
    }
  };
  return {
    get dropped() {
      return dropped;
    },
    get store() {
      return store;
    },
    entries: () => entries,
    limit(next) {
      limits = next;
    },
    async add(batch, nowMs) {
      const entry = { id: `${batch.boot}-${batch.sequence}`, writtenMs: nowMs, state: 'waiting' } as const;
      const bytes = await writeGzip(`${directory}/tmp`, fileOf(entry), batch);
      // What was written while the clock was ahead has to wait for its time, and nothing else for it.
      const next = entries.findLastIndex(({ writtenMs }) => writtenMs <= nowMs) + 1;
      entries.splice(next, 0, { ...entry, bytes, sinceMs: monotonicNow() });
      await prune();
    },
    nextWaiting: () => entries.find(({ state }) => state === 'waiting'),
    async read(entry) {
      try {
        return (await open(fileOf(entry))).createReadStream();
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
        const index = entries.findIndex(({ id }) => id === entry.id);
        if (index >= 0 && entries.splice(index, 1)[0]?.state === 'waiting') dropped++;
        return undefined;
      }
    },
    mark: replace,
    async markAllWaiting() {
      for (const entry of entries.filter(({ state }) => state === 'sent')) await replace(entry, 'waiting');
    },
    async setStore(next) {
      store = next;
      await writeFile(`${directory}/store.tmp`, next);
      await rename(`${directory}/store.tmp`, `${directory}/store`);
    },
  };
}

async function listed(directory: string, monotonicMs: number): Promise<Kept[]> {
  await mkdir(directory, { recursive: true });
  const entries: Kept[] = [];
  const nowMs = Date.now();
  for (const name of await readdir(directory)) {
    const [, id, mark] = FILE.exec(name) ?? [];
    if (id === undefined) continue;
    const { size, mtimeMs } = await stat(`${directory}/${name}`);
    const state = mark === 'sent' || mark === 'refused' ? mark : 'waiting';
    const sinceMs = monotonicMs - Math.max(0, nowMs - mtimeMs);
    entries.push({ id, bytes: size, writtenMs: Math.floor(mtimeMs), state, sinceMs });
  }
  return entries.sort((a, b) => a.writtenMs - b.writtenMs);
}

/** Whole or not at all: what is cut off in the middle keeps the temporary name, and is overwritten. */
async function writeGzip(temporary: string, file: string, batch: Batch): Promise<number> {
  const gzip = createGzip({ level: 4, memLevel: 7 });
  await pipeline(Readable.from(batchJson(batch)), gzip, createWriteStream(temporary));
  await rename(temporary, file);
  return (await stat(file)).size;
}

async function usable<T>(directory: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const message = `the spool directory ${directory} cannot be used: ${messageOf(cause)}`;
    throw new AgentError('AGENT_SPOOL_UNUSABLE', message, { cause });
  }
}
