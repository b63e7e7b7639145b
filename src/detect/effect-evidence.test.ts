import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onePodCarries } from './effect-evidence.ts';

const pods = (...counted: readonly number[]) => counted.map((each) => ({ requests: 10_000, counted: each }));

test('one of three pods carries it when most of the excess is in it', () => {
  assert.equal(onePodCarries(pods(100, 250, 105), 0.01), true);
  assert.equal(onePodCarries(pods(180, 250, 150), 0.01), false);
  assert.equal(onePodCarries(pods(90, 250, 60), 0.01), true);
});

test('of two pods none is blamed: either may be the odd one', () => {
  assert.equal(onePodCarries(pods(100, 250), 0.01), false);
});
