import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushTurnMs } from './push-turn.ts';

test('a short window is pushed while looks wait for it, a long one thereafter and before the next ends', () => {
  for (const windowMs of [1_000, 10_000]) {
    assert.deepEqual([pushTurnMs(windowMs, 0), pushTurnMs(windowMs, 1)], [0, 8_000]);
  }
  for (const windowMs of [17_000, 30_000, 120_000]) {
    assert.equal(pushTurnMs(windowMs, 0), pushTurnMs(10_000, 1));
    assert.equal(pushTurnMs(windowMs, 1), Math.min(windowMs, 33_000));
  }
});

test('of a thousand agents at rest no second gets many more than another', () => {
  const seconds = Map.groupBy(
    Array.from({ length: 1_000 }, (_, at) => pushTurnMs(30_000, at / 1_000)),
    (ms) => Math.floor(ms / 1_000),
  );

  assert.deepEqual(
    [...seconds.keys()],
    Array.from({ length: 22 }, (_, at) => at + 8),
  );
  const counts = [...seconds.values()].map(({ length }) => length);
  assert.deepEqual([Math.min(...counts), Math.max(...counts)], [45, 46]);
});
