import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastingOf, NO_POWERS, plus } from './lasting-growth.ts';

const REQUESTS_A_LOOK = 60;

interface GrowthAt {
  readonly served: number;
  readonly size: number;
  readonly excess: number;
  readonly variance: number;
}

const fitted = (all: readonly GrowthAt[], inverse?: number) =>
  lastingOf(
    all.reduce(
      (sums, { served, size, excess, variance }) => ({
        size: plus(sums.size, size, 1 / served),
        excess: plus(sums.excess, excess, 1 / served),
        variance: plus(sums.variance, variance, 1 / served),
      }),
      { size: NO_POWERS, excess: NO_POWERS, variance: NO_POWERS },
    ),
    inverse,
  );

/** A pod that serves 20 requests between two looks and had served a hundred before; three of them, so that a look has sixty. */
const seen = (growth: (served: number) => number, looks: number, inverse?: number) =>
  fitted(
    Array.from({ length: looks }, (_, look) => {
      const served = 100 + 20 * look;
      const excess = REQUESTS_A_LOOK * growth(served);
      return { served, size: REQUESTS_A_LOOK, excess, variance: REQUESTS_A_LOOK * 0.25 };
    }),
    inverse,
  );

const near = (seenAs: number | undefined, truth: number) =>
  assert.ok(Math.abs((seenAs ?? Number.NaN) - truth) < 1e-9, `${seenAs}`);

test('what falls as 1/n is all young, what does not fall all lasts, and of both together each is found', () => {
  near(seen((served) => 40 / served, 30)?.part, 0);
  near(seen(() => 0.1, 30)?.part, 0.1);
  near(seen((served) => 0.1 + 40 / served, 30)?.part, 0.1);
});

test('what is left by a number of requests is known sooner than what is left in the end', () => {
  const later = seen((served) => 0.1 + 40 / served, 30, 1 / 3_000);

  near(later?.part, 0.1 + 40 / 3_000);
  assert.ok((later?.error ?? 1) < (seen((served) => 0.1 + 40 / served, 30)?.error ?? 0));
});

test('before a pod has served many times what it had at first, hardly anything is known to last', () => {
  const errors = [3, 10, 30, 100].map((looks) => seen(() => 0.1, looks)?.error ?? 0);

  for (const [at, error] of errors.entries()) assert.ok(error > (errors[at + 1] ?? 0), errors.join());
  assert.ok((errors[0] ?? 0) > 0.2);
  assert.ok((errors[3] ?? 1) < 0.02);
});

test('the error is that of least squares', () => {
  // By hand: two looks of one request each at n = 1 and n = 2, so part = 2·y₂ − y₁.
  const found = fitted([
    { served: 1, size: 1, excess: 3, variance: 0.5 },
    { served: 2, size: 1, excess: 2, variance: 0.25 },
  ]);

  near(found?.part, 1);
  near(found?.error, Math.sqrt(4 * 0.25 + 0.5));
});

test('one number of requests served tells nothing of what lasts', () => {
  const same = { served: 100, size: 60, excess: 6, variance: 6 };

  assert.equal(fitted([same, same, same]), undefined);
});
