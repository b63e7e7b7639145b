import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeMixOf } from './route-mix.ts';

test('a mix says how much moved, which route most, and by how many times', () => {
  const mix = routeMixOf(
    new Map([
      ['a', { baseline: 50_000, canary: 3_000 }],
      ['b', { baseline: 30_000, canary: 5_000 }],
      ['c', { baseline: 20_000, canary: 2_000 }],
    ]),
  );
  assert.ok(mix);
  assert.equal(mix.moved.toFixed(3), '0.200');
  assert.ok(mix.route === 'a' || mix.route === 'b');
  assert.equal(mix.most.toFixed(2), '1.67');
  assert.equal(mix.least.toFixed(2), '0.60');
  assert.equal(mix.fresh, 0);
});

test('a route that the baseline hardly serves is fresh, and too few requests say nothing', () => {
  const routes = (canary: number) =>
    new Map([
      ['a', { baseline: 90_000, canary }],
      ['new', { baseline: 10, canary: 300 }],
    ]);
  assert.equal(routeMixOf(routes(5_700))?.fresh.toFixed(2), '0.05');
  assert.equal(routeMixOf(routes(300)), undefined);
});
