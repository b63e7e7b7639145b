import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

/** Names by the kilobyte that no other batch has. */
function aLargeBatch(sequence: number) {
  const strings = Array.from({ length: 50 }, (_, index) => `window${sequence}/${index}/${'x'.repeat(60)}`);
  return aBatch({
    sequence,
    strings,
    stacks: strings.map((_, index) => [index]),
    startMs: EPOCH_MS + sequence * WINDOW_MS,
    endMs: EPOCH_MS + (sequence + 1) * WINDOW_MS,
    pods: [aPodWindow({ counts: strings.map((_, index) => [index, 1]) })],
  });
}

test('limits that are changed hold from the next batch on, and a store that is too large by then shrinks', (t) => {
  let nowMs = EPOCH_MS;
  const store = aStore(t, aPath(t), { now: () => nowMs, maxBytes: 8 << 20 });
  const add = (sequence: number) => {
    nowMs = EPOCH_MS + (sequence + 1) * WINDOW_MS;
    store.addBatch(aLargeBatch(sequence));
  };
  for (let sequence = 0; sequence < 130; sequence++) add(sequence);
  const before = store.stats();

  store.limit({ retentionMs: 3_600_000, maxBytes: 1 << 20 });
  for (let sequence = 130; sequence < 150; sequence++) add(sequence); // three minutes
  const smaller = store.stats();
  store.limit({ retentionMs: 2 * WINDOW_MS, maxBytes: 1 << 20 });
  add(150);

  assert.ok(before.bytes > 1 << 20 && before.windowsDroppedEarly === 0, `${before.bytes} bytes`);
  assert.ok(smaller.bytes <= 1 << 20 && smaller.windowsDroppedEarly > 0, `${smaller.bytes} bytes`);
  assert.deepEqual(
    everything(store).map(({ startMs }) => (startMs - EPOCH_MS) / WINDOW_MS),
    [148, 149, 150],
  );
});

test('stacks that have gone with their windows are stored anew when they come again', (t) => {
  let nowMs = EPOCH_MS;
  const store = aStore(t, aPath(t), { now: () => nowMs });
  const add = (sequence: number): void => {
    nowMs = EPOCH_MS + (sequence + 1) * WINDOW_MS;
    store.addBatch(aBatch({ sequence }));
  };
  add(0);
  nowMs += 2 * 3_600_000;
  store.addBatch(aBatch({ sequence: 1, strings: [], stacks: [], pods: [] })); // sweeps

  add(800);

  assert.deepEqual(
    everything(store).map(({ stacks }) => [...stacks].map(({ frames, count }) => [frames, count])),
    [
      [
        [['encode', 'handle', 'run'], 2],
        [['handle', 'run'], 1],
      ],
    ],
  );
});

test('a store whose ids no longer fit where they are written is begun anew', (t) => {
  const path = aPath(t);
  aStore(t, path).close();
  const db = new DatabaseSync(path);
  db.exec("INSERT INTO stack (id, frames, places) VALUES (4294967294, x'', x'')");
  db.close();
  const store = aStore(t, path);
  const id = store.storeId();

  assert.throws(() => store.addBatch(aBatch()), { code: 'STORE_WRITE_FAILED' }); // of its two stacks one has room
  store.addBatch(aBatch());

  assert.notEqual(store.storeId(), id);
  assert.deepEqual(
    everything(store).map(({ stacks }) => [...stacks].map(({ count }) => count)),
    [[2, 1]],
  );
});
