import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

const PODS = 100;
const KINDS = 30;
const RETENTION_MS = 20 * WINDOW_MS;

/** Of stacks and names that every thirtieth batch has, and no other. */
function aBatchOfAKind(sequence: number) {
  const kind = sequence % KINDS;
  const strings = Array.from({ length: 20 }, (_, index) => `kind${kind}.name${index}`);
  return aBatch({
    sequence,
    strings,
    stacks: strings.map((_, index) => [index, (index + 1) % strings.length]),
    pods: Array.from({ length: PODS }, (_, pod) =>
      aPodWindow({ podUid: `uid-${pod}`, samples: 20, counts: strings.map((_, index) => [index, 1]) }),
    ),
  });
}

test('what batches bring while a sweep goes on step by step is whole, and what nobody has any more goes', (t) => {
  let nowMs = EPOCH_MS;
  const path = aPath(t);
  const store = aStore(t, path, { now: () => nowMs, retentionMs: RETENTION_MS });
  const read = new DatabaseSync(path);
  t.after(() => read.close());
  const stacks = (): number => Number(read.prepare('SELECT count(*) AS n FROM stack').get()?.['n']);
  let most = 0;

  // Some of its sweeps, each of several batches: old kinds come back before, while and after their stacks go.
  for (let sequence = 0; sequence < 250; sequence++) {
    nowMs = EPOCH_MS + (sequence + 1) * WINDOW_MS;
    store.addBatch(aBatchOfAKind(sequence));
    most = Math.max(most, stacks());
    if (sequence % 6 !== 0) continue;
    const windows = everything(store);
    assert.ok(windows.length > 0);
    for (const { startMs, samplesLost, stacks: seen } of windows) {
      const kind = ((startMs - EPOCH_MS) / WINDOW_MS) % KINDS;
      assert.equal(samplesLost, 0);
      assert.equal(seen.stacks.length, 20);
      for (const { frames } of seen.stacks) {
        assert.ok(
          frames.every((name) => name.startsWith(`kind${kind}.`)),
          `${frames} of kind ${kind}`,
        );
      }
    }
    assert.equal(store.stats().windows, PODS * windows.length);
  }
  assert.ok(most >= 20 * KINDS);
  nowMs += 3_600_000;
  // As many as it takes: windows go some hundred at a time, and then a sweep begins.
  for (let sequence = 1_000; sequence < 1_060; sequence++) {
    nowMs += 3 * WINDOW_MS;
    store.addBatch(aBatch({ sequence, strings: [], stacks: [], pods: [] }));
  }

  assert.deepEqual([store.stats().windows, stacks()], [0, 0]);
  assert.equal(Number(read.prepare('SELECT count(*) AS n FROM string').get()?.['n']), 0);
});
