import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateLimit } from './rate-limit.ts';

test('a burst is granted, then as many as come evenly, and never more than the burst is saved', () => {
  let nowMs = 0;
  const limit = rateLimit({ burst: 3, perSecond: 2, maxKeys: 10, now: () => nowMs });
  const takes = (count: number) => Array.from({ length: count }, () => limit.take('ann'));

  assert.deepEqual(takes(4), [0, 0, 0, 1]);
  nowMs = 500;
  assert.deepEqual(takes(2), [0, 1]);
  nowMs = 60_000;
  assert.deepEqual(takes(4), [0, 0, 0, 1]);
  nowMs = 0;
  assert.deepEqual(takes(1), [1], 'a clock that is set back gives nothing');
});

test('keys do not share, to ask is free, and the one used longest ago is forgotten', () => {
  const limit = rateLimit({ burst: 1, perSecond: 0.1, maxKeys: 2, now: () => 0 });

  assert.deepEqual([limit.take('ann'), limit.waitS('ann'), limit.waitS('bob')], [0, 10, 0]);
  assert.deepEqual([limit.take('bob'), limit.take('ann')], [0, 10]);
  assert.equal(limit.take('eve'), 0); // bob goes: ann was here since
  assert.deepEqual([limit.waitS('bob'), limit.waitS('ann')], [0, 10]);
});
