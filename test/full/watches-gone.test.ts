/** The controller's caches are listed anew again and again, with 410 Gone, while a gate is open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureWatchesGone } from '../bare/watches-gone.ts';

test('watches that are told 410 Gone every few seconds are listed anew, and the gate is decided as it would have been', async () => {
  const seen = await measureWatchesGone();
  console.log(JSON.stringify(seen));

  assert.match(seen.verdict, /^Failed FunctionGrew$/);
  assert.equal(seen.sameVerdict, true);
  assert.ok(seen.lists > 1, 'no watch was told that what it had seen is gone');
});
