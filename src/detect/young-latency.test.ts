import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Onset } from './effect-evidence.ts';
import { doubtOfYouth, ServedStretches } from './young-latency.ts';

const MARGIN = 0.1;
const LOOKS = 28;
const DENSITY = 0.5; // of requests around the median, for a unit of log latency
const SHAPE = { density: DENSITY, shiftOf: (part: number) => (part - 0.5) / DENSITY };

/** Three pods with 0.63 requests a second each, from their third minute on; a request takes `longer`, as a part of the baseline's. */
function doubt(
  longer: (served: number) => number,
  { isYoung = true, looks = LOOKS, onset }: { isYoung?: boolean; looks?: number; onset?: Onset } = {},
) {
  const stretches = new ServedStretches();
  for (let look = 0; look < looks; look++) {
    const served = 113 + 19 * look;
    const counted = 57 * (0.5 + DENSITY * Math.log1p(longer(served)));
    stretches.add(served, { requests: 57, counted, expected: 28.5, squares: 57 * 0.07, looks: 1 });
  }
  return doubtOfYouth(
    { margin: MARGIN, ...(onset && { onset }) },
    {
      stretches,
      maturity: { isYoungFrom: () => isYoung, served: 113 + 19 * looks },
      shape: SHAPE,
      noise: { podVariance: 0.0025, waveVariance: 0.0025, podBound: 2, boundFactor: 2.3 },
      concentration: 1 / 3 + 1 / 12,
    },
  );
}

test('growth that falls as the pods serve more is in doubt, with what they have served', () => {
  const found = doubt((served) => 200 / served);

  assert.equal(found?.kind, 'WarmUp');
  assert.match(found.message, /no more than 645 requests each/);
});

test('growth that stays is none of warm-up, though the pods are cold, nor where warm-up comes on top of it', () => {
  assert.equal(
    doubt(() => 0.8),
    undefined,
  );
  assert.equal(
    doubt((served) => 0.8 + 50 / served),
    undefined,
  );
});

test('as much is in doubt while so few requests cannot tell it from warm-up', () => {
  assert.equal(doubt(() => 0.8, { looks: 3 })?.kind, 'WarmUp');
});

test('the excuse ends with youth, and there is none for growth that began later', () => {
  const onset = { block: 4, effect: 0.3, half: 0.1, beside: 0.3, isSuspect: true };

  assert.equal(
    doubt((served) => 200 / served, { isYoung: false }),
    undefined,
  );
  assert.equal(
    doubt((served) => 200 / served, { onset }),
    undefined,
  );
});
