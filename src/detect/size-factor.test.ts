import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FunctionPair, sizeFactor } from './size-factor.ts';

const pair = (canary: number, baseline: number): FunctionPair => ({
  canary,
  baseline,
  podVariance: 0.0006,
  overdispersion: 1,
});

const unchanged = Array.from({ length: 20 }, (_, i) => pair(500 + i, 500 + i));

test('equal arms have the factor one', () => {
  const { factor } = sizeFactor(unchanged, { canary: 10_190, baseline: 10_190 });

  assert.ok(Math.abs(factor - 1) < 1e-9);
});

test('a function that vanished raises the share of the others, and the factor says by how much', () => {
  const { factor } = sizeFactor([...unchanged, pair(0, 5_000)], { canary: 10_190, baseline: 15_190 });

  assert.ok(Math.abs(factor - 1.4907) < 0.001, `${factor}`);
});

test('a new function lowers the factor by what it takes', () => {
  const { factor } = sizeFactor([...unchanged, pair(1_000, 0)], { canary: 11_190, baseline: 10_190 });

  assert.ok(Math.abs(factor - 10_190 / 11_190) < 0.001, `${factor}`);
});

test('without functions to compare the factor is one and its error unbounded', () => {
  assert.deepEqual(sizeFactor([pair(3, 4)], { canary: 3, baseline: 4 }), {
    factor: 1,
    logError: Number.POSITIVE_INFINITY,
  });
});
