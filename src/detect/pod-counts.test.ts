import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coarser, PodCounts } from './pod-counts.ts';

function counted(): PodCounts {
  const counts = new PodCounts();
  for (const [pod, block, requests] of [
    ['a', -6, 10],
    ['a', -1, 20],
    ['a', 0, 30],
    ['b', 0, 40],
    ['b', 4, 50],
    ['b', 5, 60],
  ] as const) {
    counts.add(pod, block, { requests, counted: requests / 10 });
  }
  return counts;
}

test('a grid has a row for each pod and a column for each block, those without requests too', () => {
  const { pods, columns, first, requests } = counted().grid(Number.POSITIVE_INFINITY);

  assert.deepEqual([pods, columns, first], [2, 12, -6]);
  assert.deepEqual([...requests.slice(0, 12)], [10, 0, 0, 0, 0, 20, 30, 0, 0, 0, 0, 0]);
  assert.deepEqual([...requests.slice(12)], [0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 50, 60]);
});

test('blocks that are not over are no part of it', () => {
  const { columns, requests } = counted().grid(4);

  assert.equal(columns, 10);
  assert.equal(
    requests.reduce((sum, each) => sum + each, 0),
    100,
  );
  assert.equal(new PodCounts().grid(4).columns, 0);
  assert.equal(counted().grid(-6).columns, 0);
});

test('longer stretches begin at multiples of their length, before the evaluation too', () => {
  const five = coarser(counted().grid(Number.POSITIVE_INFINITY), 5);

  assert.deepEqual([five.first, five.columns], [-2, 4]);
  assert.deepEqual([...five.requests], [10, 20, 30, 0, 0, 0, 90, 60]);
  assert.deepEqual([...five.counted], [1, 2, 3, 0, 0, 0, 9, 6]);
});

test('totals are those since the evaluation began', () => {
  assert.deepEqual(counted().totals(), [
    { requests: 30, counted: 3 },
    { requests: 150, counted: 15 },
  ]);
});
