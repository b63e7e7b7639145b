import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentCache } from './recent-cache.ts';

test('what is asked for again and again stays, what was asked for once goes', () => {
  const cache = new RecentCache<number, string>(100);
  const made: number[] = [];
  const ask = (key: number): string =>
    cache.get(key, () => {
      made.push(key);
      return `value ${key}`;
    });

  for (let once = 1; once <= 1_000; once++) {
    assert.equal(ask(0), 'value 0');
    assert.equal(ask(once), `value ${once}`);
  }

  assert.equal(made.filter((key) => key === 0).length, 1);
  assert.equal(cache.peek(1), undefined);
  const held = Array.from({ length: 1_001 }, (_, key) => cache.peek(key)).filter(
    (value) => value !== undefined,
  );
  assert.ok(held.length <= 101, `${held.length}`);
});

test('heavy values take the room of many, and one that is too heavy is still given', () => {
  const cache = new RecentCache<string, number>(100, (weight) => weight);
  for (const key of ['a', 'b', 'c', 'd']) cache.get(key, () => 40);

  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter((key) => cache.peek(key) !== undefined),
    ['c', 'd'],
  );
  assert.equal(
    cache.get('huge', () => 1_000),
    1_000,
  );
});

test('after it was cleared everything is made anew', () => {
  const cache = new RecentCache<string, number>(10);
  cache.get('a', () => 1);
  cache.clear();

  assert.equal(cache.peek('a'), undefined);
  assert.equal(
    cache.get('a', () => 2),
    2,
  );
});
