import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentStackIds } from './recent-stack-ids.ts';

type Words = readonly [words: Uint32Array, size: number];

/** As they come: at the beginning of a larger array. */
const words = (...values: number[]): Words => [new Uint32Array([...values, 99]), values.length];
const never = (): number => assert.fail('it is known');

test('a stack is made once, and found again by its words, also the empty one', () => {
  const ids = new RecentStackIds(10_000);

  assert.equal(
    ids.get(...words(1, 2, 3), () => 7),
    7,
  );
  assert.equal(
    ids.get(...words(), () => 8),
    8,
  );
  assert.equal(
    ids.get(...words(0xffff_ffff), () => 0xffff_ffff),
    0xffff_ffff,
  );

  assert.deepEqual([ids.get(...words(1, 2, 3), never), ids.get(...words(), never)], [7, 8]);
  assert.equal(ids.get(...words(0xffff_ffff), never), 0xffff_ffff);
});

test('order and length tell stacks apart, among tens of thousands that fill the table and its arena several times over', () => {
  const ids = new RecentStackIds(4_000_000);
  const stacks = Array.from({ length: 30_000 }, (_, at) =>
    words(at % 10, at, at >> 3, ...Array(at % 40).fill(5)),
  );
  for (const [at, stack] of stacks.entries()) ids.get(...stack, () => at + 1);

  for (const [at, stack] of stacks.entries()) assert.equal(ids.get(...stack, never), at + 1);
  let made = 0;
  ids.get(...words(0, 1, 2), () => ++made);
  ids.get(...words(2, 1, 0), () => ++made);
  ids.get(...words(0, 1), () => ++made);
  assert.equal(made, 3);
});

test('what nobody asks for any more goes, what is asked for stays', () => {
  const ids = new RecentStackIds(2_000);
  let made = 0;
  const ask = (...values: number[]): number => ids.get(...words(...values), () => ++made);
  const kept = ask(1, 1, 1);
  ask(2, 2, 2);
  for (let at = 0; at < 5_000; at++) {
    ask(3, at, at);
    assert.equal(ids.get(...words(1, 1, 1), never), kept);
  }

  const before = made;
  ask(2, 2, 2);
  assert.equal(made, before + 1);
});

test('after clearing nothing is known', () => {
  const ids = new RecentStackIds(1_000);
  ids.get(...words(1), () => 1);
  ids.clear();

  assert.equal(
    ids.get(...words(1), () => 2),
    2,
  );
});
