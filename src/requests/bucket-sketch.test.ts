import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CountedBucket, sketchOfBuckets } from './bucket-sketch.ts';
import { DurationHistogram, SCHEMA } from './duration-histogram.ts';
import { addSketch, createHistogram, logQuantile } from './latency-histogram.ts';
import { countOf, LatencySketch, problemOfSketch } from './latency-sketch.ts';

/** As an agent counts latencies for Prometheus. */
function bucketsOf(latenciesUs: readonly number[]): CountedBucket[] {
  const histogram = new DurationHistogram('s');
  for (const latency of latenciesUs) histogram.add(latency / 1e6);
  const buckets: CountedBucket[] = [];
  histogram.eachNative((index, count) => {
    const bound = (at: number): number => 1e6 * 2 ** (at / 2 ** SCHEMA);
    buckets.push({ low: bound(index - 1), high: bound(index), count });
  });
  return buckets;
}

test('no request comes or goes, and what comes of it is a sketch', () => {
  const latency = fc.double({ min: 0.01, max: 5e9, noNaN: true });
  fc.assert(
    fc.property(fc.array(latency, { maxLength: 200 }), (latencies) => {
      const sketch = sketchOfBuckets(bucketsOf(latencies));

      assert.equal(problemOfSketch(sketch), undefined);
      assert.equal(countOf(sketch), latencies.length);
    }),
    { seed: 20261126, numRuns: 300 },
  );
});

test('quantiles are within two per cent of those of a sketch that saw the requests', () => {
  const sketch = new LatencySketch();
  const latencies = Array.from(
    { length: 5_000 },
    (_, at) => 1_000 * Math.exp(((at * 7_919) % 5_000) / 1_000),
  );
  for (const each of latencies) sketch.add(each);
  const [here, there] = [sketch.pack(), sketchOfBuckets(bucketsOf(latencies))].map((packed) => {
    const histogram = createHistogram();
    addSketch(histogram, packed);
    return histogram;
  });

  for (const quantile of [0.1, 0.5, 0.9, 0.99, 0.999]) {
    assert.ok(here && there);
    const factor = Math.exp(logQuantile(there, quantile) - logQuantile(here, quantile));
    assert.ok(Math.abs(factor - 1) < 0.02, `${quantile}: ${factor}`);
  }
});

test('a bucket up to a microsecond, and one beyond an hour, are the first and the last', () => {
  assert.deepEqual(sketchOfBuckets([{ low: 0, high: 0.5, count: 3 }]), [0, 3]);
  assert.equal(countOf(sketchOfBuckets([{ low: 5e9, high: 5.1e9, count: 2 }])), 2);
});
