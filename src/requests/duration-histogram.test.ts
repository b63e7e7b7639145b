import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurationHistogram, type DurationUnit, SCHEMA } from './duration-histogram.ts';

const durations = fc.array(fc.double({ min: 1e-7, max: 1e4, noNaN: true }), { maxLength: 200 });

function histogramOf(all: readonly number[], unit: DurationUnit = 's'): DurationHistogram {
  const histogram = new DurationHistogram(unit);
  for (const each of all) histogram.add(each);
  return histogram;
}

function nativeOf(histogram: DurationHistogram): ReadonlyMap<number, number> {
  const buckets = new Map<number, number>();
  histogram.eachNative((index, count) => buckets.set(index, count));
  return buckets;
}

test('a duration is in the classic bucket whose bound it does not exceed', () => {
  const filled = ({ classic, bounds }: DurationHistogram) =>
    [...classic].flatMap((count, at) => (count > 0 ? [[bounds[at], count]] : []));

  assert.deepEqual(filled(histogramOf([0.001, 0.005, 0.0051, 1, 10, 10.1])), [
    [0.005, 2],
    [0.01, 1],
    [1, 1],
    [10, 1],
    [undefined, 1],
  ]);
  assert.deepEqual(filled(histogramOf([1, 5, 5.1, 10_001], 'ms')), [
    [5, 2],
    [10, 1],
    [undefined, 1],
  ]);
});

test('a duration is in the native bucket between whose bounds it lies', () => {
  const width = 2 ** (2 ** -SCHEMA);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 4_000, noNaN: true }), (seconds) => {
      for (const [unit, duration] of [['s', seconds] as const, ['ms', seconds * 1_000] as const]) {
        const [[index, count] = [Number.NaN, 0], ...more] = nativeOf(histogramOf([duration], unit));
        assert.deepEqual([count, more], [1, []]);
        const inside = (exponent: number) => width ** exponent * (1 + 1e-9) >= duration;
        const isIn = inside(index) && width ** (index - 1) * (1 - 1e-9) < duration;
        assert.ok(isIn, `${duration} ${unit} in ${index}`);
      }
    }),
  );
});

test('every duration is in one bucket of each kind, and a sum of series is the series of the sum', () => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const sum = histogramOf(some);
      sum.addAll(histogramOf(others));
      const whole = histogramOf([...some, ...others]);
      assert.deepEqual(nativeOf(sum), nativeOf(whole));
      assert.deepEqual(sum.classic, whole.classic);
      assert.equal(sum.count, some.length + others.length);
      assert.equal(
        [...nativeOf(whole).values()].reduce((a, b) => a + b, 0),
        whole.count,
      );
      assert.equal(
        whole.classic.reduce((a, b) => a + b, 0),
        whole.count,
      );
      assert.ok(Math.abs(sum.sum - whole.sum) <= 1e-9 * whole.sum);
    }),
  );
});

test('what is no duration is counted at an end, and takes no more room than others', () => {
  const odd = histogramOf([Number.NaN, -1, 0, Number.NEGATIVE_INFINITY]);
  const long = histogramOf([Number.POSITIVE_INFINITY, 1e300]);

  assert.deepEqual([[...nativeOf(odd)], odd.sum], [[[-20 * 32, 4]], 0]);
  assert.deepEqual([...nativeOf(long)], [[12 * 32, 2]]);
  assert.deepEqual(
    [...nativeOf(histogramOf([-1, 1e300], 'ms'))].map(([index]) => index),
    [-10 * 32, 22 * 32],
  );
});

test('a bucket counts on beyond 32 bits', () => {
  const histogram = histogramOf([1]);
  for (let doublings = 0; doublings < 40; doublings++) histogram.addAll(histogram);

  assert.deepEqual([...nativeOf(histogram)], [[0, 2 ** 40]]);
});
