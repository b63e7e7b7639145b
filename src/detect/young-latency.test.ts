import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Onset } from './effect-evidence.ts';
import { LastingGrowth } from './lasting-growth.ts';
import { doubtOfYouth } from './young-latency.ts';

const MEDIAN = 0.5;
const DENSITY = 1; // one per cent more latency brings one per cent of requests across the median
const MARGIN = 0.1;
const LOOKS = 28;

/** Three pods with 0.63 requests a second each, from their third minute on, whose log latency is above the baseline's by `growth`. */
function doubt(
  growth: (served: number) => number,
  { isYoung = true, looks = LOOKS, onset }: { isYoung?: boolean; looks?: number; onset?: Onset } = {},
) {
  const sums = new LastingGrowth();
  for (let look = 0; look < looks; look++) {
    const served = 113 + 19 * look;
    sums.add({ served, size: 57, excess: 57 * DENSITY * growth(served), variance: 57 * 0.25 });
  }
  const noise = { podVariance: 0.0025, waveVariance: 0.0025, podBound: 2, boundFactor: 2.3 };
  return doubtOfYouth({ margin: MARGIN, ...(onset && { onset }) }, MEDIAN, {
    ...{ lasting: sums.lasting, noise, concentration: 1 / 3 + 1 / 12, looks },
    maturity: { isYoung, served: 113 + 19 * looks },
    shape: { density: DENSITY, shiftOf: (part) => (part - MEDIAN) / DENSITY },
  });
}

test('growth that falls as the pods serve more is in doubt, with what they have served', () => {
  const found = doubt((served) => 100 / served);

  assert.equal(found?.kind, 'WarmUp');
  assert.match(found?.message ?? '', /no more than 645 requests each/);
});

test('growth that stays is none of warm-up, though the pods are cold, nor where warm-up comes on top of it', () => {
  assert.equal(
    doubt(() => 0.6),
    undefined,
  );
  assert.equal(
    doubt((served) => 0.6 + 50 / served),
    undefined,
  );
});

test('as much is in doubt while so few requests cannot tell it from warm-up', () => {
  assert.equal(doubt(() => 0.6, { looks: 3 })?.kind, 'WarmUp');
});

test('the excuse ends with youth, and there is none for growth that began later', () => {
  const onset = { block: 4, effect: 0.3, half: 0.1, beside: 0.3, isSuspect: true };

  assert.equal(
    doubt((served) => 100 / served, { isYoung: false }),
    undefined,
  );
  assert.equal(
    doubt((served) => 100 / served, { onset }),
    undefined,
  );
});
