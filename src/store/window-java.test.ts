import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';
import { openStore } from './window-store.ts';

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
