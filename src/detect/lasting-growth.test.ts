import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastingGrowth } from './lasting-growth.ts';

const REQUESTS_A_LOOK = 60;

/** A pod that serves 20 requests between two looks and had served `from`; three of them, so that a look has sixty. */
function seen(growth: (served: number) => number, looks: number, from = 100): LastingGrowth {
  const sums = new LastingGrowth();
  for (let look = 0; look < looks; look++) {
    const served = from + 20 * look;
    const excess = REQUESTS_A_LOOK * growth(served);
    sums.add({ served, size: REQUESTS_A_LOOK, excess, variance: REQUESTS_A_LOOK * 0.25 });
  }
  return sums;
}

const near = (seenAs: number | undefined, truth: number) =>
  assert.ok(Math.abs((seenAs ?? Number.NaN) - truth) < 1e-9, `${seenAs}`);

test('what falls as 1/n is all young, what does not fall all lasts, and of both together each is found', () => {
  near(seen((served) => 40 / served, 30).lasting?.part, 0);
  near(seen(() => 0.1, 30).lasting?.part, 0.1);
  near(seen((served) => 0.1 + 40 / served, 30).lasting?.part, 0.1);
});

test('before a pod has served many times what it had at first, hardly anything is known to last', () => {
  const errors = [3, 10, 30, 100].map((looks) => seen(() => 0.1, looks).lasting?.error ?? 0);

  for (const [at, error] of errors.entries()) assert.ok(error > (errors[at + 1] ?? 0), errors.join());
  assert.ok((errors[0] ?? 0) > 0.2);
  assert.ok((errors[3] ?? 1) < 0.02);
});

test('the error is that of least squares', () => {
  // By hand: two looks of one request each at n = 1 and n = 2, so part = 2·y₂ − y₁.
  const sums = new LastingGrowth();
  sums.add({ served: 1, size: 1, excess: 3, variance: 0.5 });
  sums.add({ served: 2, size: 1, excess: 2, variance: 0.25 });

  near(sums.lasting?.part, 1);
  near(sums.lasting?.error, Math.sqrt(4 * 0.25 + 0.5));
});

test('one number of requests served tells nothing of what lasts', () => {
  const sums = new LastingGrowth();
  for (let look = 0; look < 5; look++) sums.add({ served: 100, size: 60, excess: 6, variance: 6 });

  assert.equal(sums.lasting, undefined);
});
