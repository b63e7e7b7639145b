import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedWait } from './expected-wait.ts';

test('a hundred that wait for two at a time of twenty milliseconds each are a second', () => {
  const wait = expectedWait(2);
  for (let served = 0; served < 500; served++) wait.served(20);

  assert.equal(Math.round(wait.ofNextMs(100)), 1_000);
  assert.equal(wait.ofNextMs(0), 0);
});

test('nobody is thought to wait before anything was served, and what is slow for once counts for little', () => {
  const wait = expectedWait(2);
  assert.equal(wait.ofNextMs(1_000), 0);

  for (let served = 0; served < 500; served++) wait.served(10);
  wait.served(210);

  assert.equal(Math.round(wait.ofNextMs(2)), 20);
});
