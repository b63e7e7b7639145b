/**
 * How long the node's next window is to be. While nothing is judged the controller asks for longer ones, a third of the batches;
 * whoever has just applied a policy, or rolled out, still sees the first names after ten seconds.
 */

/** Also before the first assignment. */
export const SHORT_WINDOW_MS = 10_000;
/** Since the newest container was met. */
const NEW_MS = 60_000;
/** A window holds 65,536 stacks at most: a node with many busy cores is left at what it has room for. */
const MOST_SAMPLES = 20_000;

export interface WindowNeeds {
  readonly assignedMs: number;
  /** Undefined: none was met yet. */
  readonly newestMetMs: number | undefined;
  /** Samples a second of the window before. */
  readonly samplesPerSecond: number;
  readonly nowMs: number;
}

export function windowLength({ assignedMs, newestMetMs, samplesPerSecond, nowMs }: WindowNeeds): number {
  const shortMs = Math.min(assignedMs, SHORT_WINDOW_MS);
  const isNew = newestMetMs === undefined || Math.abs(nowMs - newestMetMs) < NEW_MS; // a clock may be set back
  const isFull = (samplesPerSecond * assignedMs) / 1_000 > MOST_SAMPLES;
  return isNew || isFull ? shortMs : assignedMs;
}
