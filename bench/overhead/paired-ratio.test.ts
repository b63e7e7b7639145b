import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../test/reference/simulated-pods.ts';
import {
  addedCost,
  bootstrap,
  isBeyondNoise,
  noiseFloor,
  pairedRatio,
  quantile,
  savedShare,
} from './paired-ratio.ts';

const BASES = ['bare', 'bare2'];

/** Rounds on a machine that gets slower by a third each round, which every variant feels alike. */
function driftingRounds(costs: Readonly<Record<string, number>>, count = 6) {
  return Array.from({ length: count }, (_, round) => {
    const drift = 1.33 ** round;
    return new Map(Object.entries(costs).map(([name, cost]) => [name, cost * drift]));
  });
}

test('a ratio is taken within rounds, so the drift of the machine is not in it', () => {
  const rounds = driftingRounds({ bare: 2, bare2: 2, otel: 2.4 });

  const { value, interval } = pairedRatio(rounds, 'otel', BASES, seededRandom(1));

  assert(Math.abs(value - 1.2) < 1e-9);
  assert(interval && interval[1] - interval[0] < 1e-9);
});

test('the base of a round is the mean of both bare services', () => {
  const rounds = [new Map(Object.entries({ bare: 1, bare2: 3, otel: 3 }))];

  assert.equal(pairedRatio(rounds, 'otel', BASES, seededRandom(1)).value, 1.5);
  assert.equal(addedCost(rounds, 'otel', BASES), 1);
});

test('a swapped pair has the reciprocal ratio', () => {
  const rounds = [
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
    new Map([
      ['a', 3],
      ['b', 4],
    ]),
  ];
  const random = seededRandom(1);

  const product =
    pairedRatio(rounds, 'a', ['b'], random).value * pairedRatio(rounds, 'b', ['a'], random).value;

  assert(Math.abs(product - 1) < 1e-12);
});

test('the same seed gives the same interval, another seed another one', () => {
  const values = [1.1, 0.9, 1.3, 1.0, 1.25, 0.97];
  const middle = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / some.length;

  const [once, again, other] = [7, 7, 8].map(
    (seed) => bootstrap(values, middle, seededRandom(seed)).interval,
  );

  assert.deepEqual(once, again);
  assert.notDeepEqual(once, other);
});

test('the bootstrap of a mean is as wide as the normal approximation says', () => {
  const random = seededRandom(3);
  const values = Array.from({ length: 200 }, () => random());
  const middle = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / some.length;

  const { interval } = bootstrap(values, middle, seededRandom(4));

  const wide = (2 * 1.96 * Math.sqrt(1 / 12)) / Math.sqrt(200); // of a uniform between 0 and 1
  assert(interval && Math.abs((interval[1] - interval[0]) / wide - 1) < 0.15);
});

test('two rounds have no interval, and without one nothing is claimed', () => {
  const ratio = pairedRatio(
    driftingRounds({ bare: 1, bare2: 1, otel: 2 }, 2),
    'otel',
    BASES,
    seededRandom(1),
  );

  assert.equal(ratio.interval, null);
  assert.equal(isBeyondNoise(ratio, 0.01), false);
  assert.equal(noiseFloor(ratio), null);
});

test('what is not farther from 1 than the A/A pair can be is not claimed', () => {
  const floor = noiseFloor({ value: 0.98, interval: [0.94, 1.02] });

  assert(floor !== null && Math.abs(floor - 0.06) < 1e-12);
  assert.equal(isBeyondNoise({ value: 1.05, interval: [1.02, 1.08] }, floor), false);
  assert.equal(isBeyondNoise({ value: 1.2, interval: [0.99, 1.4] }, floor), false);
  assert.equal(isBeyondNoise({ value: 1.2, interval: [1.1, 1.3] }, floor), true);
});

test('the saved share is what the other adds and this one does not', () => {
  const rounds = driftingRounds({ bare: 2, bare2: 2, otel: 2.4, flamegate: 2.04 });

  const saved = savedShare(rounds, { variant: 'flamegate', other: 'otel', bases: BASES }, seededRandom(1));

  assert(saved && Math.abs(saved.value - 0.9) < 1e-9);
});

test('there is no share of a cost that is none', () => {
  const rounds = driftingRounds({ bare: 2, bare2: 2, otel: 1.9, flamegate: 2 });

  assert.equal(
    savedShare(rounds, { variant: 'flamegate', other: 'otel', bases: BASES }, seededRandom(1)),
    null,
  );
});

test('a quantile is a value that was seen', () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.99), 4);
  assert.equal(quantile([5], 0.025), 5);
});
