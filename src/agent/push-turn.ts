/** When an agent's turn to push is after its window has ended. All end at the same moment, and a thousand batches at once would wait for each other. */

/** Of a window of ten seconds, or shorter: looks wait for 15 s. */
const SHORT_SPREAD_MS = 5_000;
const SHORT_WINDOW_MS = 10_000;
/** A longer one is of pods that nobody judges, and has until shortly before the next. */
const REST_MS = 5_000;
const LONGEST_SPREAD_MS = 25_000;

/** `part`: of the spread, from 0 to 1, the same for all windows of an agent, so that they arrive as regularly as they end. */
export function pushTurnMs(windowMs: number, part: number): number {
  const spreadMs =
    windowMs <= SHORT_WINDOW_MS ? SHORT_SPREAD_MS : Math.max(SHORT_SPREAD_MS, windowMs - REST_MS);
  return part * Math.min(spreadMs, LONGEST_SPREAD_MS);
}
