/**
 * What a native histogram of Prometheus counted, as a sketch: its buckets (2.2 % wide as agents count them) dealt out to those of the
 * sketch (2.0 %), requests being taken as evenly spread over log latency within one. A latency so moves by 2.2 % at most.
 */
import { BUCKET_WIDTH, BUCKETS, bucketOf, LARGEST_KEY, type PackedSketch } from './latency-sketch.ts';

/** Latencies above `low` and up to `high`, in microseconds. */
export interface CountedBucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Whole requests, and as many as the buckets hold: parts of one are carried on to the next bucket of the sketch. */
export function sketchOfBuckets(buckets: readonly CountedBucket[]): PackedSketch {
  const parts = new Float64Array(BUCKETS);
  for (const bucket of buckets) deal(bucket, parts);
  const packed: number[] = [];
  let [dealt, given, before] = [0, 0, 0];
  for (const [key, part] of parts.entries()) {
    if (part === 0) continue;
    dealt += part;
    const count = Math.round(dealt) - given;
    if (count === 0) continue;
    packed.push(key - before, count);
    given += count;
    before = key;
  }
  return packed;
}

function deal({ low, high, count }: CountedBucket, parts: Float64Array): void {
  const last = bucketOf(high);
  const from = low > 1 ? Math.min(LARGEST_KEY, Math.log(low) / BUCKET_WIDTH) : last - 1;
  const to = Math.min(LARGEST_KEY, Math.log(Math.max(high, 1)) / BUCKET_WIDTH);
  if (to - from <= 0) {
    parts[last] = (parts[last] ?? 0) + count;
    return;
  }
  for (let key = Math.max(0, Math.floor(from) + 1); key <= last; key++) {
    const part = (Math.min(key, to) - Math.max(key - 1, from)) / (to - from);
    if (part > 0) parts[key] = (parts[key] ?? 0) + count * part;
  }
}
