import { setTimeout as delay } from 'node:timers/promises';

/** Waiting times that double from `firstMs` to `longestMs`, each cut by up to half at random: agents must not march in step. */
export interface Backoff {
  next(): number;
  reset(): void;
}

export function createBackoff(firstMs: number, longestMs: number, random: () => number): Backoff {
  let current = firstMs;
  return {
    next() {
      const waitMs = current * (0.5 + random() / 2);
      current = Math.min(longestMs, current * 2);
      return waitMs;
    },
    reset() {
      current = firstMs;
    },
  };
}

/** Resolves early, without an error, when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
