/** Two builds compared on this machine, as in a build server's job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareOrders } from './orders-comparison.ts';

test('the slow codec fails the build by its name', async () => {
  const { exitCode, document } = await compareOrders('slow', '24m');
  console.log(JSON.stringify(document));

  assert.equal(exitCode, 1);
  assert.equal(document.verdict, 'Failed');
  const [first] = document.functions;
  assert.ok([first?.name, ...(first?.callers ?? [])].some((name) => name?.startsWith('shop.SlowCodec')));
});

test('the same build does not fail', async () => {
  const { exitCode, document } = await compareOrders('fast', '24m');
  console.log(JSON.stringify(document));

  assert.equal(document.verdict, 'Passed');
  assert.equal(exitCode, 0);
});
