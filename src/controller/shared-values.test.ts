import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedValues } from './shared-values.ts';

test('what is equal is one value, and nobody can change it for the others', () => {
  const { share } = sharedValues();
  const first = share({ app: 'shop', arms: [{ name: 'stable' }] });

  assert.equal(share({ app: 'shop', arms: [{ name: 'stable' }] }), first);
  assert.notEqual(share({ app: 'shop', arms: [{ name: 'canary' }] }), first);
  assert.equal(share(undefined), undefined);
  assert.throws(() => first.arms.push({ name: 'other' }), TypeError);
});

test('what is seldom, or large, is let go', () => {
  const { share } = sharedValues();
  const first = share({ number: -1 });
  const large = { text: 'x'.repeat(5_000) };

  assert.notEqual(share({ ...large }), share(large));
  assert.equal(share({ number: -1 }), first);
  for (let number = 0; number < 10_000; number += 1) share({ number });
  const again = share({ number: -1 });
  assert.notEqual(again, first);
  assert.deepEqual(again, first);
});
