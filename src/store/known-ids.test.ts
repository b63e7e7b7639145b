import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownIds } from './known-ids.ts';

type Words = readonly [words: Uint32Array, size: number];

/** As they come: at the beginning of a larger array. */
const words = (...values: number[]): Words => [new Uint32Array([...values, 99]), values.length];
const never = (): number => assert.fail('it is known');

test('an id is made once, and found again by its words, also by none', () => {
  const ids = new KnownIds(10_000);

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

test('each word, its place and their number tell apart, among ten thousand that make the table grow', () => {
  const ids = new KnownIds(50_000);
  const all = Array.from({ length: 10_000 }, (_, at) =>
    words(at % 10, at, at >> 3, ...Array(at % 40).fill(5)),
  );
  for (const [at, each] of all.entries()) ids.get(...each, () => at + 1);

  for (const [at, each] of all.entries()) assert.equal(ids.get(...each, never), at + 1);
  let made = 0;
  for (const each of [words(0, 1, 2), words(2, 1, 0), words(0, 1), words(0, 1, 0), words(0, 1, 0, 0)]) {
    ids.get(...each, () => ++made);
  }
  assert.equal(made, 5);
});

test('words that differ in one bit anywhere, in two bits or in order alone are others', () => {
  const ids = new KnownIds(100_000);
  const length = 3;
  const bit = (at: number): number[] =>
    Array.from({ length }, (_, word) => (word === at >> 5 ? (1 << (at & 31)) >>> 0 : 0));
  let made = 0;
  for (let first = 0; first < 32 * length; first++) {
    for (let second = first; second < 32 * length; second++) {
      ids.get(...words(...bit(first).map((word, at) => (word | (bit(second)[at] ?? 0)) >>> 0)), () => ++made);
    }
  }

  assert.equal(made, (32 * length * (32 * length + 1)) / 2);
});

test('what nobody asks for any more goes, what is asked for stays', () => {
  const ids = new KnownIds(1_000);
  let made = 0;
  const ask = (...values: number[]): number => ids.get(...words(...values), () => ++made);
  const kept = ask(1, 1, 1);
  ask(2, 2, 2);
  for (let at = 0; at < 3_000; at++) {
    ask(3, at, at);
    assert.equal(ids.get(...words(1, 1, 1), never), kept);
  }

  const before = made;
  ask(2, 2, 2);
  assert.equal(made, before + 1);
});

test('what has gone is made again, the rest stays, old and young', () => {
  const ids = new KnownIds(3_000);
  for (let at = 1; at <= 2_000; at++) ids.get(...words(at), () => at);

  ids.drop((id) => id % 2 === 0);

  for (let at = 1_001; at <= 2_000; at++) {
    if (at % 2 === 1) assert.equal(ids.get(...words(at), never), at);
    else
      assert.equal(
        ids.get(...words(at), () => 10_000 + at),
        10_000 + at,
      );
  }
  assert.equal(ids.get(...words(1_001), never), 1_001);
});
