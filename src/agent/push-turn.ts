/** When an agent's turn to push is after its window has ended. All end at the same moment, and a thousand batches at once would wait for each other. */

/** Of a window of ten seconds, or shorter: looks wait for 15 s, and until the next one ends there is time for what failed. */
const SHORT_SPREAD_MS = 8_000;
const SHORT_WINDOW_MS = 10_000;
/** A longer one is of pods that nobody judges: it has until the next ends, and comes after those that looks wait for. */
const LONGEST_SPREAD_MS = 25_000;

/** Of pods that nobody judges. */
export const isAtRest = (windowMs: number): boolean => windowMs > SHORT_WINDOW_MS;

/** `part`: of the spread, from 0 to 1, the same for all windows of an agent, so that they arrive as regularly as they end. */
export function pushTurnMs(windowMs: number, part: number): number {
  if (!isAtRest(windowMs)) return part * SHORT_SPREAD_MS;
  return SHORT_SPREAD_MS + part * Math.min(windowMs - SHORT_SPREAD_MS, LONGEST_SPREAD_MS);
}
