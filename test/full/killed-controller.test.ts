/** As test/integration/killed-controller.test.ts, at a hundred moments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killDuringIngest } from '../bare/kill-during-ingest.ts';

test('a controller that is killed a hundred times amid pushes has every window that it acknowledged, once', async () => {
  const seen = await killDuringIngest({ kills: 100, seed: 2 });
  const { acknowledged, lost, doubled, unanswered } = seen;
  console.log(JSON.stringify(seen));

  assert.ok(acknowledged > 1_000, `${acknowledged} windows`);
  assert.ok(unanswered > 0, 'no kill met a push');
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 });
});
