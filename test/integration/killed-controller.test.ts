/** The controller as it ships, in front of a real API server, killed while agents push; a hundred times in test/full. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killDuringIngest } from '../bare/kill-during-ingest.ts';

test('a controller that is killed ten times amid pushes has every window that it acknowledged, once', async () => {
  const { acknowledged, lost, doubled } = await killDuringIngest({ kills: 10, seed: 1 });

  assert.ok(acknowledged > 100, `${acknowledged} windows`);
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 });
});
