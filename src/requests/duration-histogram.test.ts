import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BOUNDS_S, DurationHistogram, SCHEMA } from './duration-histogram.ts';

const durations = fc.array(fc.double({ min: 1e-7, max: 1e4, noNaN: true }), { maxLength: 200 });

function histogramOf(seconds: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const each of seconds) histogram.add(each);
  return histogram;
}

function nativeOf(histogram: DurationHistogram): ReadonlyMap<number, number> {
  const buckets = new Map<number, number>();
  histogram.eachNative((index, count) => buckets.set(index, count));
  return buckets;
}

test('a duration is in the classic bucket whose bound it does not exceed', () => {
  const { classic } = histogramOf([0.001, 0.005, 0.0051, 1, 10, 10.1]);

  assert.deepEqual(
    [...classic].flatMap((count, at) => (count > 0 ? [[BOUNDS_S[at], count]] : [])),
    [
      [0.005, 2],
      [0.01, 1],
      [1, 1],
      [10, 1],
      [undefined, 1],
    ],
  );
});

test('a duration is in the native bucket between whose bounds it lies', () => {
  const width = 2 ** (2 ** -SCHEMA);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 4_000, noNaN: true }), (seconds) => {
      const [[index, count] = [Number.NaN, 0], ...more] = nativeOf(histogramOf([seconds]));
      assert.deepEqual([count, more], [1, []]);
      const inside = (exponent: number) => width ** exponent * (1 + 1e-9) >= seconds;
      assert.ok(inside(index) && width ** (index - 1) * (1 - 1e-9) < seconds, `${seconds} s in ${index}`);
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
      assert.ok(Math.abs(sum.sumSeconds - whole.sumSeconds) <= 1e-9 * whole.sumSeconds);
    }),
  );
});

test('what is no duration is counted at an end, and takes no more room than others', () => {
  const odd = histogramOf([Number.NaN, -1, 0, Number.NEGATIVE_INFINITY]);
  const long = histogramOf([Number.POSITIVE_INFINITY, 1e300]);

  assert.deepEqual([[...nativeOf(odd)], odd.sumSeconds], [[[-20 * 32, 4]], 0]);
  assert.deepEqual([...nativeOf(long)], [[12 * 32, 2]]);
});

test('a bucket counts on beyond 32 bits', () => {
  const histogram = histogramOf([1]);
  for (let doublings = 0; doublings < 40; doublings++) histogram.addAll(histogram);

  assert.deepEqual([...nativeOf(histogram)], [[0, 2 ** 40]]);
});
