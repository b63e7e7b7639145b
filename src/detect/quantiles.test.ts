import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReference } from '../../test/reference/read-reference.ts';
import { normalQuantile, studentFactor, studentQuantile } from './quantiles.ts';

test('quantiles agree with scipy far into the tail', () => {
  for (const { args, expected } of readReference<[number], number>('normalQuantile')) {
    assert.ok(Math.abs(normalQuantile(...args) - expected) < 1e-7, `${args}`);
  }
  for (const { args, expected } of readReference<[number, number], number>('studentQuantile')) {
    assert.ok(Math.abs(studentQuantile(...args) / (expected || 1) - (expected ? 1 : 0)) < 1e-6, `${args}`);
  }
});

test('the fewer pods the variance rests on, the wider the bound', () => {
  const factors = [4, 10, 24, 1000].map((degreesOfFreedom) => studentFactor(0.001, degreesOfFreedom));

  assert.deepEqual(
    [...factors].sort((a, b) => b - a),
    factors,
  );
  assert.ok((factors.at(-1) ?? 0) < 1.01);
});
