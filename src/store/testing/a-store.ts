/** Stores for tests, in a directory that goes with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { StoredWindow } from '../stored-window.ts';
import { openStore, type StoreOptions, type WindowStore } from '../window-store.ts';
import { EPOCH_MS, WINDOW_MS } from './a-batch.ts';

export function aPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-store-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'windows.db');
}

/** The time is the end of the first window of a-batch.ts. */
export function aStore(t: TestContext, path: string, options: Partial<StoreOptions> = {}): WindowStore {
  const store = openStore(path, { now: () => EPOCH_MS + WINDOW_MS, ...options });
  t.after(() => store.close());
  return store;
}

export const everything = (store: WindowStore, podUid = 'uid-1'): StoredWindow[] =>
  store.windows({ pods: [{ podUid }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
