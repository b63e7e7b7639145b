/** Sums of sketches, weighted or not, and what can be read from them between the bounds of buckets. */
import { BUCKET_WIDTH, BUCKETS, eachBucket, type PackedSketch } from './latency-sketch.ts';

/** Requests, or parts of them, by bucket. */
export type LatencyHistogram = Float64Array;

export const createHistogram = (): LatencyHistogram => new Float64Array(BUCKETS);

export function addSketch(histogram: LatencyHistogram, sketch: PackedSketch, weight = 1): void {
  eachBucket(sketch, (key, count) => {
    histogram[key] = (histogram[key] ?? 0) + weight * count;
  });
}

export const totalOf = (histogram: LatencyHistogram): number =>
  histogram.reduce((sum, count) => sum + count, 0);

/**
 * The logarithm, in microseconds, of the latency that part `p` of the requests stay below; NaN of nothing. Within a
 * bucket requests are taken as evenly spread over log latency: a margin of 5 % is 2.4 buckets, which rounding would miss.
 */
export function logQuantile(histogram: LatencyHistogram, p: number): number {
  const wanted = p * totalOf(histogram);
  let below = 0;
  for (let key = 0; key < histogram.length; key++) {
    const count = histogram[key] ?? 0;
    if (count > 0 && below + count >= wanted) return BUCKET_WIDTH * (key - 1 + (wanted - below) / count);
    below += count;
  }
  return Number.NaN;
}

/** Requests slower than `logLatency`, parts of a bucket counted as parts. */
export function countAbove(histogram: LatencyHistogram, logLatency: number): number {
  const position = logLatency / BUCKET_WIDTH + 1;
  const cut = Math.min(histogram.length - 1, Math.max(0, Math.floor(position)));
  let above = (histogram[cut] ?? 0) * Math.min(1, Math.max(0, cut + 1 - position));
  for (let key = cut + 1; key < histogram.length; key++) above += histogram[key] ?? 0;
  return above;
}

/** The same of a sketch. */
export function sketchAbove(sketch: PackedSketch, logLatency: number): number {
  const position = logLatency / BUCKET_WIDTH + 1;
  let above = 0;
  eachBucket(sketch, (key, count) => {
    above += count * Math.min(1, Math.max(0, key + 1 - position));
  });
  return above;
}

const DENSITY_BUCKETS = 4; // to each side: ± 8 % of latency

/** Part of the requests per unit of log latency around `logLatency`: what a shift of latencies moves across it. */
export function densityAt(histogram: LatencyHistogram, logLatency: number): number {
  const reach = DENSITY_BUCKETS * BUCKET_WIDTH;
  const between = countAbove(histogram, logLatency - reach) - countAbove(histogram, logLatency + reach);
  return between / totalOf(histogram) / (2 * reach);
}
