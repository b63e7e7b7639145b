/** Leaders as they ship are killed, or rolled, while a gate is open; what the last one says is what one leader would have said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureFailover } from '../../bench/control/failover.ts';

test('after a killed leader and a rolled one the third, with an empty store, comes to the report of one that had seen all', async () => {
  const { verdict, sameVerdictAfterFailover, ...seen } = await measureFailover({ failovers: 1, roll: true });
  console.log(JSON.stringify(seen));

  assert.match(verdict, /^Failed FunctionGrew$/);
  assert.equal(sameVerdictAfterFailover, true);
});
