import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latencyAlpha } from './request-settings.ts';

const latency = [0.5, 0.95, 0.99].map((quantile) => ({
  ...{ quantile, relativeMargin: 0.1, absoluteMarginMs: 2, required: false },
}));

test('quantiles together spend no more than half of the rate, the highest most of it', () => {
  const alphas = latency.map((check) => latencyAlpha(0.01, { latency }, check));

  assert.ok(Math.abs(alphas.reduce((sum, alpha) => sum + alpha, 0) - 0.00425) < 1e-12);
  assert.ok(Math.abs((alphas[2] ?? 0) - 0.004) < 1e-12);
  assert.equal(alphas[0], alphas[1]);
});

test('a single quantile has all of it, less what CPU in total takes where that decides', () => {
  const alone = latency.slice(0, 1);
  const cost = { margin: 0.1, decides: true };

  assert.ok(Math.abs(latencyAlpha(0.01, { latency: alone }, { quantile: 0.5 }) - 0.005) < 1e-12);
  assert.ok(Math.abs(latencyAlpha(0.01, { latency: alone, cost }, { quantile: 0.5 }) - 0.004) < 1e-12);
});
