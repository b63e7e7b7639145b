import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReference } from '../../test/reference/read-reference.ts';
import { rejectedByEbh } from './e-bh.ts';

test('e-BH rejects what numpy’s direct reading of the definition rejects', () => {
  for (const { args, expected } of readReference<[number[], number], number[]>('rejectedByEbh')) {
    assert.deepEqual(rejectedByEbh(...args), expected);
  }
});

test('nothing is rejected among no functions', () => {
  assert.deepEqual(rejectedByEbh([], 0.01), []);
});
