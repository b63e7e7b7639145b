/** A spool without a disk: a thousand of them write more at once than one machine's disk and processor take beside what is measured. */
import { Readable } from 'node:stream';
import type { Spool, SpooledBatch } from '../../src/agent/spool.ts';

export interface MemorySpool extends Spool {
  /** A gzipped batch, in pieces. */
  put(id: string, body: readonly Buffer[], nowMs: number): void;
}

export function memorySpool(): MemorySpool {
  const entries: SpooledBatch[] = [];
  const bodies = new Map<string, readonly Buffer[]>();
  let store: string | undefined;
  return {
    dropped: 0,
    entries: () => entries,
    limit: () => undefined, // it holds what one run sends
    put(id, body, nowMs) {
      const bytes = body.reduce((sum, { length }) => sum + length, 0);
      entries.push({ id, bytes, writtenMs: nowMs, state: 'waiting' });
      bodies.set(id, body);
    },
    add: () => Promise.reject(new Error('batches are put, gzipped already')),
    nextWaiting: () => entries.find(({ state }) => state === 'waiting'),
    read: async ({ id }) => Readable.from(bodies.get(id) ?? []),
    async mark(entry, state) {
      const at = entries.findIndex(({ id }) => id === entry.id);
      entries[at] = { ...entry, state };
      bodies.delete(entry.id);
    },
    markAllWaiting: () => Promise.reject(new Error('the store is not to change while it is measured')),
    get store() {
      return store;
    },
    async setStore(next) {
      store = next;
    },
  };
}
