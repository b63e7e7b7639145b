import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Doubt } from './doubt.ts';
import { LOOK_MS } from './looks.ts';
import { concludeLook, openCheck } from './request-check.ts';

const P99 = { quantile: 0.99, relativeMargin: 0.1, absoluteMarginMs: 2, required: false };
const GREW = {
  ...{ effect: 0.2, half: 0.05, margin: 0.1, isProven: true, detectable: 0.1 },
  ...{ baseline: 80, canary: 98, assumedSpread: false, onePod: false },
};

/** Growth proven at two looks in a row, of which something else explained the first. */
function verdictAfter(doubt: Doubt | undefined) {
  const check = openCheck({ kind: 'latency', settings: P99 }, 0.004, 15);
  const look = (number: number) => ({ unusable: undefined, lookAtMs: number * LOOK_MS, mayPass: false });
  concludeLook(check, { ...GREW, ...(doubt && { doubt }) }, look(1));
  const before = check.verdict;
  concludeLook(check, GREW, look(2));
  return [before, check.verdict];
}

test('growth that is there at two looks fails', () => {
  assert.deepEqual(verdictAfter(undefined), ['Collecting', 'Failed']);
});

test('what was proven while pods were young need not be proven anew, what was in another doubt has to', () => {
  const message = 'young';

  assert.deepEqual(verdictAfter({ kind: 'WarmUp', message, endsInTime: true }), ['Collecting', 'Failed']);
  assert.deepEqual(verdictAfter({ kind: 'OnePod', message }), ['Collecting', 'Collecting']);
});
