import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundFactor } from './bound-factor.ts';
import { studentQuantile } from './quantiles.ts';
import { doubtOfAge, doubtOfWindows, TRUSTED_ALPHA, TrustedRequests } from './trusted-requests.ts';
import type { TrustedPart } from './trusted-windows.ts';

const BLOCKS = 10; // of two minutes
const POD_FREEDOM = 16;
const MARGIN = Math.log(1.1);
const noise = {
  podVariance: 0.03 ** 2,
  waveVariance: 0.04 ** 2,
  podBound: studentQuantile(1 - TRUSTED_ALPHA, POD_FREEDOM),
  boundFactor: boundFactor(TRUSTED_ALPHA, 40), // twenty minutes of looks
};
/** P99 where a hundredth more of log latency is a twenty-thousandth of requests more. */
const shape = { density: 0.05, shiftOf: (part: number) => (part - 0.01) / 0.05 };

type Known = Pick<TrustedPart, 'leftOut' | 'byCpu'>;

/** Eight looks at three pods beside twenty that are slower by `growth` in log latency. */
function windowsOf(growth: number, known: Known): TrustedRequests {
  const windows = new TrustedRequests(BLOCKS);
  for (let look = 0; look < 8; look++) {
    const expected = 15;
    const counted = expected + 1_500 * growth * shape.density;
    const stretch = { requests: 1_500, counted, expected, squares: 1_500 * 0.05, looks: 1 };
    windows.add(Math.floor(look / 4), stretch, 1 / 3 + 1 / 20);
    windows.note({ groups: [], canaryMs: 180_000, ...known });
  }
  return windows;
}

const throttledHalf: Known = { leftOut: new Map([['Throttled', 90_000]]), byCpu: false };
const twoModels: Known = { leftOut: new Map(), byCpu: true };
const whole: Known = { leftOut: new Map(), byCpu: false };
const doubtAt = (growth: number, known: Known = throttledHalf) =>
  doubtOfWindows({ margin: MARGIN }, windowsOf(growth, known), shape, noise);
const doubtBesideTwins = (growth: number, effect: number) =>
  doubtOfAge({ effect, margin: MARGIN }, windowsOf(growth, whole), shape, noise);

test('what one in twenty equal canaries has in the windows between throttled ones proves nothing', () => {
  const doubt = doubtAt(0.07);
  assert.equal(doubt?.kind, 'Throttled');
  assert.match(doubt.message, /^50 % of the canary's time .* and the rest does not show it$/);
});

test('a version that is slower between throttled windows, too, is slower', () => {
  assert.equal(doubtAt(0.18), undefined);
});

test('a canary that is as slow as the baseline pods on its model of CPU is not slower', () => {
  assert.equal(doubtAt(0.07, twoModels)?.kind, 'SlowerCpu');
  assert.equal(doubtAt(0.12, twoModels), undefined);
  assert.equal(doubtAt(0.02, whole), undefined);
});

test('a canary that is as slow as baseline pods of its age is not slower', () => {
  assert.equal(doubtBesideTwins(0.05, 0.2)?.kind, 'AgeDrift');
});

test('baseline pods of the canary’s age that show none of its growth are no ground for a doubt, nor beside which it is proven', () => {
  assert.equal(doubtBesideTwins(0.1, 0.12), undefined);
  assert.equal(doubtBesideTwins(0.18, 0.3), undefined);
});
