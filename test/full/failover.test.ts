/** Leaders as they ship are killed while a gate is open; what the last one says is what one leader would have said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureFailover } from '../../bench/control/failover.ts';

test('after two killed leaders the third, with an empty store, comes to the report of one that had seen all', async () => {
  const { verdict, sameVerdictAfterFailover } = await measureFailover({ failovers: 2 });

  assert.match(verdict, /^Failed FunctionGrew$/);
  assert.equal(sameVerdictAfterFailover, true);
});
