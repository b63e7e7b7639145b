import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aRequestWindow } from '../requests/testing/a-request-window.ts';
import { aBatch, aPodWindow, EPOCH_MS, WINDOW_MS } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

test('requests come back as they were pushed, and a window without any has none', (t) => {
  const store = aStore(t, aPath(t));
  const requests = aRequestWindow({ lost: 2 });

  store.addBatch(aBatch({ pods: [aPodWindow({ requests })] }));
  store.addBatch(aBatch({ sequence: 1 }));

  assert.deepEqual(
    everything(store).map((window) => window.requests),
    [requests, undefined],
  );
});

test('of requests alone, windows without any are left out, and stacks with them', (t) => {
  const store = aStore(t, aPath(t));
  store.addBatch(aBatch());
  store.addBatch(aBatch({ sequence: 1, pods: [aPodWindow({ requests: aRequestWindow() })] }));

  const span = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
  const windows = store.windows({ pods: [{ podUid: 'uid-1' }], ...span, requestsOnly: true });

  assert.deepEqual(
    windows.map(({ startMs, stacks, requests }) => [startMs, [...stacks], requests]),
    [[EPOCH_MS + WINDOW_MS, [], aRequestWindow()]],
  );
});
