import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { IoWindow } from '../profile/io-window.ts';
import type { WaitingWindow } from '../profile/waiting-window.ts';
import { interner } from './interning.ts';
import { sweep } from './sweep.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { openStore, type WindowStore } from './window-store.ts';

const HOUR_MS = 3_600_000;
const WAITING: WaitingWindow = {
  ...{ state: 'Seen', reason: '', message: '', leastMs: 1, totals: [], reasons: [], lostNs: 0, blocked: [] },
  counts: [
    [1, 7_000_000_000],
    [0, 12_345_678_901_234],
  ],
};
const IO: IoWindow = {
  ...{ state: 'Seen', reason: '', message: '', leastMs: 10, totals: [], unseen: 0, functions: [] },
  lost: { calls: 0, ns: 0 },
  counts: [[0, 3_100_000_000]],
};
const ALL = { pods: [{ podUid: 'uid-1' }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

function aPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-store-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'windows.db');
}

function aStore(t: TestContext, path: string, now = () => EPOCH_MS + WINDOW_MS): WindowStore {
  const store = openStore(path, { now });
  t.after(() => store.close());
  return store;
}

test('what was waited comes back by its stacks, apart from what was burnt', (t) => {
  const store = aStore(t, aPath(t));

  store.addBatch(aBatch({ pods: [aPodWindow({ waiting: WAITING })] }));
  store.addBatch(aBatch({ sequence: 1 }));

  const [waited, ...more] = store.times('waiting', ALL);
  assert.deepEqual(more, []);
  assert.deepEqual(waited, {
    ...{
      pod: 'uid-1/app',
      startMs: EPOCH_MS,
      endMs: EPOCH_MS + WINDOW_MS,
      podStartedAtMs: EPOCH_MS - 600_000,
    },
    stacks: [
      { frames: ['handle', 'run'], count: 7_000_000_000 },
      { frames: ['encode', 'handle', 'run'], count: 12_345_678_901_234 },
    ],
  });
  assert.deepEqual(
    store.windows(ALL).map(({ stacks }) => [...stacks].map(({ count }) => count)),
    [
      [2, 1],
      [2, 1],
    ],
  );
});

test('what reads, writes and syncs took comes back by its stacks, apart from what was waited', (t) => {
  const store = aStore(t, aPath(t));

  store.addBatch(aBatch({ pods: [aPodWindow({ waiting: WAITING, io: IO })] }));
  store.addBatch(aBatch({ sequence: 1, pods: [aPodWindow({ waiting: WAITING })] }));

  assert.deepEqual(
    store.times('io', ALL).map(({ stacks }) => stacks),
    [[{ frames: ['encode', 'handle', 'run'], count: 3_100_000_000 }]],
  );
});

test('stacks that only waits refer to stay, and all go with their age', (t) => {
  const path = aPath(t);
  let nowMs = EPOCH_MS + WINDOW_MS;
  const store = aStore(t, path, () => nowMs);
  const counts: [number, number][] = [[0, 1]];
  store.addBatch(aBatch({ pods: [aPodWindow({ counts, samples: 1, waiting: WAITING })] }));
  const db = new DatabaseSync(path);
  t.after(() => db.close());

  Array.from(sweep(db, interner(db)));
  assert.equal(store.times('waiting', ALL)[0]?.stacks.length, 2);
  nowMs += 2 * HOUR_MS;
  store.addBatch(aBatch({ sequence: 720 }));

  assert.deepEqual(store.times('waiting', ALL), []);
});
