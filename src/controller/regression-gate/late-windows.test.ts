import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Registry } from 'prom-client';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import { exposeLateWindows, type JudgedWindows, lateWindows } from './late-windows.ts';

function aStore(t: TestContext): WindowStore {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-late-'));
  const store = openStore(join(directory, 'windows.db'), { now: () => EPOCH_MS });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

const push = (store: WindowStore, podUid: string, number: number) =>
  store.addBatch(aBatch({ node: podUid, sequence: number, pods: [aPodWindow({ podUid })] }));

function judged(store: WindowStore, windows: number): JudgedWindows {
  const pods = ['a', 'b'].map((podUid) => ({ podUid }));
  const query = { pods, fromMs: EPOCH_MS, toMs: EPOCH_MS + windows * WINDOW_MS };
  const seen = new Map(store.extents(query).map(({ pod, newestId }) => [pod, newestId]));
  return { storeId: store.storeId(), query, seen };
}

test('only windows of the time of the verdict that came after it are counted, each once', (t) => {
  const store = aStore(t);
  const late = lateWindows(store);
  for (const number of [0, 2]) push(store, 'a', number);
  late.decided('shop/orders', judged(store, 3));

  assert.equal(late.recount('shop/orders'), 0);
  push(store, 'a', 1); // between two that were there
  push(store, 'b', 2);
  push(store, 'b', 3); // of the time after
  push(store, 'c', 1); // of a pod that is not compared
  assert.equal(late.recount('shop/orders'), 2);
  assert.equal(late.recount('shop/orders'), 0);
  assert.deepEqual([...late.counts()], [['shop/orders', 2]]);
});

test('what another store is filled with again is not late, and a gate that is gone is forgotten', (t) => {
  const store = aStore(t);
  const late = lateWindows(store);
  late.decided('shop/orders', { ...judged(store, 3), storeId: 'the-store-of-before' });
  push(store, 'a', 1);

  assert.equal(late.recount('shop/orders'), 0);
  late.drop('shop/orders');
  assert.equal(late.counts().size, 0);
});

test('the count is told to Prometheus by gate', async (t) => {
  const store = aStore(t);
  const late = lateWindows(store);
  const registry = new Registry();
  exposeLateWindows(registry, late);
  late.decided('shop/orders', judged(store, 3));
  push(store, 'a', 1);
  late.recount('shop/orders');

  assert.match(
    await registry.metrics(),
    /^flamegate_gate_late_windows\{k8s_namespace_name="shop",gate="orders"\} 1$/m,
  );
});
