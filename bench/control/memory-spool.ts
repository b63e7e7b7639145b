/** A spool without a disk: a thousand of them write more at once than one machine's disk and processor take beside what is measured. */
import { Readable } from 'node:stream';
import type { Spool, SpooledBatch } from '../../src/agent/spool.ts';

export interface MemorySpool extends Spool {
  /** A gzipped batch. */
  put(id: string, body: Buffer, nowMs: number): void;
}

export function memorySpool(): MemorySpool {
  const entries: SpooledBatch[] = [];
  const bodies = new Map<string, Buffer>();
  let store: string | undefined;
  return {
    dropped: 0,
    entries: () => entries,
    limit: () => undefined, // it holds what one run sends
    put(id, body, nowMs) {
      entries.push({ id, bytes: body.length, writtenMs: nowMs, state: 'waiting' });
      bodies.set(id, body);
    },
    add: () => Promise.reject(new Error('batches are put, gzipped already')),
    nextWaiting: () => entries.find(({ state }) => state === 'waiting'),
    read: async ({ id }) => Readable.from([bodies.get(id) ?? Buffer.alloc(0)]),
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
