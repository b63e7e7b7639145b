import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundFactor } from './bound-factor.ts';
import { studentQuantile } from './quantiles.ts';
import { doubtOfWindows, TRUSTED_ALPHA, TrustedRequests } from './trusted-requests.ts';

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

/** Half of the time left out, the rest slower by `growth` in log latency. */
function throttledHalf(growth: number): TrustedRequests {
  const trusted = new TrustedRequests(BLOCKS);
  for (let look = 0; look < 8; look++) {
    const expected = 15;
    const counted = expected + 1_500 * growth * shape.density;
    const stretch = { requests: 1_500, counted, expected, squares: 1_500 * 0.05, looks: 1 };
    trusted.add(Math.floor(look / 4), stretch, 1 / 3 + 1 / 20);
    trusted.note({ groups: [], leftOut: new Map([['Throttled', 90_000]]), canaryMs: 180_000 });
  }
  return trusted;
}

const doubtAt = (growth: number) => doubtOfWindows({ margin: MARGIN }, throttledHalf(growth), shape, noise);

test('what one in twenty equal canaries has in the windows between throttled ones proves nothing', () => {
  const doubt = doubtAt(0.07);
  assert.equal(doubt?.kind, 'Throttled');
  assert.match(doubt?.message ?? '', /^50 % of the canary's time .* and the rest does not show it$/);
});

test('a version that is slower between throttled windows, too, is slower', () => {
  assert.equal(doubtAt(0.18), undefined);
});
