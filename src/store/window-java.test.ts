import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { StoredWindow } from './stored-window.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { openStore, type WindowStore } from './window-store.ts';

function aPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-store-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'windows.db');
}

function aStore(t: TestContext, path: string): WindowStore {
  const store = openStore(path, { now: () => EPOCH_MS + WINDOW_MS });
  t.after(() => store.close());
  return store;
}

const everything = (store: WindowStore, podUid = 'uid-1'): StoredWindow[] =>
  store.windows({ pods: [{ podUid }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });

test('how much of a window was interpreted is kept, where an agent said it', (t) => {
  const store = aStore(t, aPath(t));
  const java = { samples: 3, interpreted: 1 };

  store.addBatch(aBatch({ pods: [aPodWindow({ java }), aPodWindow({ podUid: 'uid-2' })] }));

  assert.deepEqual(everything(store)[0]?.java, java);
  assert.equal(everything(store, 'uid-2')[0]?.java, undefined);
});

test('a store from before that keeps its windows', (t) => {
  const path = aPath(t);
  const older = openStore(path, { now: () => EPOCH_MS + WINDOW_MS });
  older.addBatch(aBatch());
  older.close();
  const db = new DatabaseSync(path);
  db.exec('ALTER TABLE window DROP COLUMN javaSamples; ALTER TABLE window DROP COLUMN interpretedSamples');
  db.exec('ALTER TABLE window DROP COLUMN host');
  db.exec('PRAGMA user_version = 3');
  db.close();

  const store = aStore(t, path);
  store.addBatch(aBatch({ sequence: 1, pods: [aPodWindow({ java: { samples: 3, interpreted: 1 } })] }));

  assert.deepEqual(
    everything(store).map(({ java }) => java?.interpreted),
    [undefined, 1],
  );
});
