import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IO_LATENCY_BUCKETS, latencyBoundNs, latencyQuantileNs } from './io-window.ts';

test('a quantile is the bound of the bucket in which so many calls are passed', () => {
  const latency = [90, 0, 9, 1];

  assert.equal(latencyQuantileNs(latency, 0.5), 1024);
  assert.equal(latencyQuantileNs(latency, 0.9), 1024);
  assert.equal(latencyQuantileNs(latency, 0.91), 4096);
  assert.equal(latencyQuantileNs(latency, 0.99), 4096);
  assert.equal(latencyQuantileNs(latency, 1), 8192);
  assert.equal(latencyQuantileNs([0, 0], 0.5), 0);
});

test('the last bucket has no bound', () => {
  assert.equal(latencyBoundNs(IO_LATENCY_BUCKETS - 2), 1024 * 2 ** 22);
  assert.equal(latencyBoundNs(IO_LATENCY_BUCKETS - 1), Number.POSITIVE_INFINITY);
});
