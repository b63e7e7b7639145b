/**
 * The API server is away for two minutes while a gate is open. The leader ends itself, as who cannot hold its lease must, and whoever runs
 * its container starts it again; agents keep what they have. Then the gate is decided as it would have been.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { measureApiServerAway } from '../bare/api-server-away.ts';

test('a gate that was open while the API server was away for two minutes is decided, and nothing is lost', async () => {
  const seen = await measureApiServerAway(() => delay(120_000));
  const { verdict, lost, restarts, sameVerdict } = seen;
  console.log(JSON.stringify(seen));

  assert.match(verdict, /^Failed FunctionGrew$/);
  assert.equal(sameVerdict, true);
  assert.equal(lost, 0);
  assert.ok(restarts > 0, 'the leader went on without its lease');
});
