/** How long whoever comes now will wait: what waits already, times what one takes, seen lately. */

export interface ExpectedWait {
  /** Something was served, from its turn to its end. */
  served(tookMs: number): void;
  /** With so many that wait before it. */
  ofNextMs(waiting: number): number;
}

/** Of the last: some twenty count. */
const WEIGHT = 0.05;

/** `atOnce`: so many are served side by side. */
export function expectedWait(atOnce: number): ExpectedWait {
  let usualMs = 0;
  return {
    served(tookMs) {
      usualMs += WEIGHT * (tookMs - usualMs);
    },
    ofNextMs: (waiting) => (waiting * usualMs) / atOnce,
  };
}
