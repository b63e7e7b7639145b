import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReference } from '../../test/reference/read-reference.ts';
import { boundFactor } from './bound-factor.ts';

test('the factor solves the crossing probability as scipy’s root finder does', () => {
  for (const { args, expected } of readReference<[number, number], number>('boundFactor')) {
    const actual = boundFactor(...args);

    assert.ok(Math.abs(actual - expected) < 1e-7, `${args}: ${actual}, scipy ${expected}`);
  }
});
