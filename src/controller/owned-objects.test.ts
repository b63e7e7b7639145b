import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownedBy } from './owned-objects.ts';
import { aPod } from './regression-gate/testing/a-cluster.ts';

test('of a list those of some controllers are found, and none that has no controller', () => {
  const [a, b, c] = [aPod({ name: 'a', owner: 'x' }), aPod({ name: 'b', owner: 'y' }), aPod({ name: 'c' })];
  const before = [a, b, c];

  assert.deepEqual(ownedBy(before, ['x', 'z']), [a]);
  assert.deepEqual(ownedBy(before, ['y', 'x']), [b, a]);
  assert.deepEqual(ownedBy(before, ['']), []);
  assert.deepEqual(ownedBy([b, c], ['x']), [], 'another list is another answer');
});
