/** How often each caller may ask: a bucket of tokens for every key, filled evenly. Pure but for the clock it is given. */

export interface RateLimitOptions {
  /** Asked at once, after a pause. */
  readonly burst: number;
  readonly perSecond: number;
  /** Buckets kept; the one that was used longest ago goes first, and begins full when it comes back. */
  readonly maxKeys: number;
  readonly now: () => number;
}

export interface RateLimit {
  /** Takes one; how many seconds to wait when there is none, 0 when there was. */
  take(key: string): number;
  /** As take would answer, and nothing is taken. */
  waitS(key: string): number;
}

export function rateLimit({ burst, perSecond, maxKeys, now }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { readonly left: number; readonly atMs: number }>();
  const leftIn = (key: string): number => {
    const bucket = buckets.get(key);
    if (bucket === undefined) return burst;
    const elapsedMs = Math.max(0, now() - bucket.atMs); // clocks are set back
    return Math.min(burst, bucket.left + (elapsedMs / 1_000) * perSecond);
  };
  const secondsUntilOne = (left: number): number => (left >= 1 ? 0 : Math.ceil((1 - left) / perSecond));
  return {
    take(key) {
      const left = leftIn(key);
      const waitS = secondsUntilOne(left);
      buckets.delete(key); // to the end: the map stays ordered by use
      buckets.set(key, { left: waitS === 0 ? left - 1 : left, atMs: now() });
      const oldest = buckets.keys().next().value;
      if (buckets.size > maxKeys && oldest !== undefined) buckets.delete(oldest);
      return waitS;
    },
    waitS: (key) => secondsUntilOne(leftIn(key)),
  };
}
