import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownStacks } from './known-stacks.ts';

const stackOf = (at: number): Uint32Array => new Uint32Array([2, at, at >> 4]);

test('stacks are found by what they are, among ten thousand, and others are not', () => {
  const known = new KnownStacks(100_000);
  const isOf = (at: number) => (id: number) => id === at + 1;
  for (let at = 0; at < 10_000; at++) known.add(stackOf(at), 3, at + 1);

  for (let at = 0; at < 10_000; at++) assert.equal(known.find(stackOf(at), 3, isOf(at)), at + 1);
  assert.equal(
    known.find(stackOf(10_000), 3, () => true),
    undefined,
  );
});

test('a stack that is no longer what it was leads nowhere, and may be added again', () => {
  const known = new KnownStacks(100);
  known.add(stackOf(1), 3, 7);
  assert.equal(
    known.find(stackOf(1), 3, () => false),
    undefined,
  );

  known.add(stackOf(1), 3, 8);

  assert.equal(
    known.find(stackOf(1), 3, (id) => id === 8),
    8,
  );
});

test('of more than there is room for, those that are asked for stay', () => {
  const known = new KnownStacks(1_000);
  known.add(stackOf(0), 3, 1);
  known.add(stackOf(1), 3, 2);
  for (let at = 2; at < 5_000; at++) {
    known.add(stackOf(at), 3, at + 1);
    assert.equal(
      known.find(stackOf(0), 3, (id) => id === 1),
      1,
    );
  }

  assert.equal(
    known.find(stackOf(1), 3, () => true),
    undefined,
  );
});
