import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aBatch, aPodWindow } from './testing/a-batch.ts';
import { aPath, aStore, everything } from './testing/a-store.ts';

test('how much of a window was interpreted is kept, where an agent said it', (t) => {
  const store = aStore(t, aPath(t));
  const java = { samples: 3, interpreted: 1 };

  store.addBatch(aBatch({ pods: [aPodWindow({ java }), aPodWindow({ podUid: 'uid-2' })] }));

  assert.deepEqual(everything(store)[0]?.java, java);
  assert.equal(everything(store, 'uid-2')[0]?.java, undefined);
});
