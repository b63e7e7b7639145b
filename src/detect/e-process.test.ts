import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClose, readReference } from '../../test/reference/read-reference.ts';
import { logEValue, logGrowthEValue, randomEffectHalfWidth } from './e-process.ts';

type Four = [number, number, number, number];

test('the log e-value is the log ratio of the marginal densities scipy gives', () => {
  for (const { args, expected } of readReference<Four, number>('logEValue')) {
    const [z, information, nullVariance, driftVariance] = args;

    const actual = logEValue(z, information, { nullVariance, driftVariance });

    assert.ok(isClose(actual, expected), `${args}: ${actual}, scipy ${expected}`);
  }
});

test('an estimate of the half-width is where scipy finds the level', () => {
  for (const { args, expected } of readReference<Four, number>('randomEffectHalfWidth')) {
    const [information, nullVariance, driftVariance, alpha] = args;

    const actual = randomEffectHalfWidth(information, { nullVariance, driftVariance }, alpha);

    assert.ok(isClose(actual, expected), `${args}: ${actual}, scipy ${expected}`);
  }
});

test('a share that fell is no evidence of growth', () => {
  assert.equal(logGrowthEValue(-4, 100, 0.001), Number.NEGATIVE_INFINITY);
  assert.equal(logGrowthEValue(0, 100, 0.001), Number.NEGATIVE_INFINITY);
});

test('more samples do not turn a difference within the lottery of pods into evidence', () => {
  const nullVariance = 0.03 ** 2;
  const difference = 0.03;

  const evidence = [1e3, 1e5, 1e7].map((n) => logGrowthEValue(difference * Math.sqrt(n), n, nullVariance));

  assert.ok(
    evidence.every((logE) => logE < 1),
    `${evidence}`,
  );
});
