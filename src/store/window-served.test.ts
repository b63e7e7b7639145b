import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { ServedRow, ServedWindow } from '../requests/served-window.ts';
import { interner } from './interning.ts';
import { sweep } from './sweep.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { openStore } from './window-store.ts';

const HOUR_MS = 3_600_000;
const ALL = { pods: [{ podUid: 'uid-1' }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const ROW: Omit<ServedRow, 'samples' | 'waited'> = {
  ...{ method: 'GET', route: '/orders/{id}', speed: 'slow', requests: 3, latencyNs: 9_000_000_000 },
  ...{ unreadNs: 5, stoppedNs: 7, stopsKnown: 3 },
};
const SERVED: ServedWindow = {
  ...{ otherSamples: 4, otherWaitedNs: 11 },
  rows: [
    { ...ROW, samples: [[1, 2]], waited: [[0, 12_345_678_901_234]] },
    { ...ROW, speed: 'normal', samples: [[1, 6]], waited: [] },
  ],
};

function aStore(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-store-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'windows.db');
  const clock = { nowMs: EPOCH_MS + WINDOW_MS };
  const store = openStore(path, { now: () => clock.nowMs });
  t.after(() => store.close());
  return { store, path, clock };
}

test('whose requests samples belonged to comes back by stacks, stays while they do, and goes with its age', (t) => {
  const { store, path, clock } = aStore(t);
  const counts: [number, number][] = [[0, 1]]; // the other stack is only a request's
  store.addBatch(aBatch({ pods: [aPodWindow({ counts, samples: 1, served: SERVED })] }));
  store.addBatch(aBatch({ sequence: 1 }));
  const db = new DatabaseSync(path);
  t.after(() => db.close());
  Array.from(sweep(db, interner(db)));

  const [served, ...more] = store.served(ALL);

  assert(served && more.length === 0);
  const [first, second] = [{ frames: ['encode', 'handle', 'run'] }, { frames: ['handle', 'run'] }];
  assert.deepEqual(served.rows, [
    { ...ROW, samples: [{ ...second, count: 2 }], waited: [{ ...first, count: 12_345_678_901_234 }] },
    { ...ROW, speed: 'normal', samples: [{ ...second, count: 6 }], waited: [] },
  ]);
  assert.deepEqual([served.otherSamples, served.otherWaitedNs, served.pod], [4, 11, 'uid-1/app']);

  clock.nowMs += 2 * HOUR_MS;
  store.addBatch(aBatch({ sequence: 720 }));
  assert.deepEqual(store.served(ALL), []);
});
