import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readReference } from '../../test/reference/read-reference.ts';
import { addSketch, countAbove, createHistogram, logQuantile, sketchAbove } from './latency-histogram.ts';
import {
  BUCKET_WIDTH,
  bucketOf,
  countOf,
  LARGEST_KEY,
  LatencySketch,
  mergeSketches,
  problemOfSketch,
} from './latency-sketch.ts';

const latencies = fc.array(fc.double({ min: 0.001, max: 1e10, noNaN: true }), { maxLength: 300 });

function sketchOf(values: readonly number[]): LatencySketch {
  const sketch = new LatencySketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

test("buckets are those of Datadog's library", () => {
  for (const { args, expected } of readReference<[number], number>('sketchKey')) {
    assert.equal(bucketOf(args[0]), expected, `${args[0]} µs`);
  }
});

test('quantiles are no further than a bucket from the latencies themselves', () => {
  for (const { args, expected } of readReference<[number[], number], number>('quantile')) {
    const [values, p] = args;
    const histogram = createHistogram();
    addSketch(histogram, sketchOf(values).pack());

    const quantile = Math.exp(logQuantile(histogram, p));

    assert.ok(
      Math.abs(Math.log(quantile / expected)) <= BUCKET_WIDTH,
      `P${p * 100} ${quantile}, numpy ${expected}`,
    );
  }
});

test('a merge is the sketch of all latencies together', () => {
  fc.assert(
    fc.property(latencies, latencies, (a, b) => {
      const merged = mergeSketches(sketchOf(a).pack(), sketchOf(b).pack());

      assert.deepEqual(merged, sketchOf([...a, ...b]).pack());
      assert.equal(countOf(merged), a.length + b.length);
      assert.equal(problemOfSketch(merged), undefined);
    }),
  );
});

test('a cleared sketch is a new one', () => {
  const sketch = sketchOf([1, 50, 3e9]);
  sketch.clear();
  sketch.add(2_000);

  assert.deepEqual(sketch.pack(), sketchOf([2_000]).pack());
});

test('what is no latency is counted at an end, not lost', () => {
  const odd = [Number.NaN, -1, 0, Number.NEGATIVE_INFINITY].map(bucketOf);

  assert.deepEqual(odd, [0, 0, 0, 0]);
  assert.equal(bucketOf(Number.POSITIVE_INFINITY), LARGEST_KEY);
});

test('sketches from outside that no agent makes are named', () => {
  assert.equal(problemOfSketch([5]), 'a bucket without a count');
  assert.equal(problemOfSketch([5, 1, 0, 1]), 'bucket 5 twice');
  assert.equal(problemOfSketch([5, 0]), 'an empty bucket 5');
  assert.equal(problemOfSketch([LARGEST_KEY, 1, 1, 1]), `a bucket beyond ${LARGEST_KEY}`);
  assert.equal(problemOfSketch([]), undefined);
});

test('a bucket that is cut counts by the part above the cut', () => {
  const histogram = createHistogram();
  const sketch = [100, 8, 1, 4]; // 8 requests in bucket 100, 4 in 101
  addSketch(histogram, sketch);
  const quarterInto100 = BUCKET_WIDTH * (100 - 1 + 0.25);

  assert.ok(Math.abs(countAbove(histogram, quarterInto100) - 10) < 1e-9);
  assert.ok(Math.abs(sketchAbove(sketch, quarterInto100) - 10) < 1e-9);
  assert.ok(Math.abs(logQuantile(histogram, 2 / 12) - quarterInto100) < 1e-9);
});
