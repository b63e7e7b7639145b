/** When a JVM is asked for names. Pure: a decision from what was seen. */
import type { AttachReason } from './attach-outcome.ts';

export interface AttachHistory {
  readonly named: boolean;
  readonly lastAskedMs: number | undefined;
  /** Grows from one request to the next, while requests follow each other closely. */
  readonly intervalMs: number;
  readonly timeouts: number;
  readonly lastReason: AttachReason | undefined;
}

export interface AttachNeed {
  readonly nowMs: number;
  readonly jvmAgeMs: number;
  /** Share of the JVM's samples of the window with a frame in code that has no name. */
  readonly unnamedShare: number;
}

export const MIN_JVM_AGE_MS = 10_000; // before, HotSpot may not catch SIGQUIT yet and compiles most of what it ever will
const MIN_INTERVAL_MS = 20_000;
const MAX_INTERVAL_MS = 300_000;
const MAX_UNNAMED_SHARE = 0.02;
const MAX_SIGNALS = 2; // a JVM that hides that it takes no attach prints all its threads at each signal
const LASTING: ReadonlySet<AttachReason> = new Set<AttachReason>([
  'AttachDisabled',
  'AttachNotGranted',
  'PerfMapUnsupported',
]);

export const NEVER_ASKED: AttachHistory = {
  named: false,
  lastAskedMs: undefined,
  intervalMs: MIN_INTERVAL_MS,
  timeouts: 0,
  lastReason: undefined,
};

// situation                                    → ask
// younger than 10 s                            → no
// never asked                                  → yes
// asked less than the interval ago             → no
// named, and at most 2 % of samples unnamed    → no
// named, and more                              → yes
// failed for a lasting reason                  → yes, after the longest interval (another tool may write a map)
// failed otherwise                             → yes
export function attachIsDue(history: AttachHistory, need: AttachNeed): boolean {
  if (need.jvmAgeMs < MIN_JVM_AGE_MS) return false;
  if (history.lastAskedMs === undefined) return true;
  const lasting = history.lastReason !== undefined && LASTING.has(history.lastReason);
  const intervalMs = lasting ? MAX_INTERVAL_MS : history.intervalMs;
  if (need.nowMs - history.lastAskedMs < intervalMs) return false;
  return !history.named || need.unnamedShare > MAX_UNNAMED_SHARE;
}

/** After a request; `reason` is undefined if it gave names. */
export function afterRequest(
  history: AttachHistory,
  nowMs: number,
  reason: AttachReason | undefined,
): AttachHistory {
  const quietMs = history.lastAskedMs === undefined ? Number.POSITIVE_INFINITY : nowMs - history.lastAskedMs;
  const close = quietMs < 2 * history.intervalMs;
  return {
    named: history.named || reason === undefined,
    lastAskedMs: nowMs,
    intervalMs: close ? Math.min(MAX_INTERVAL_MS, history.intervalMs * 2) : MIN_INTERVAL_MS,
    timeouts: history.timeouts + (reason === 'AttachTimeout' ? 1 : 0),
    lastReason: reason,
  };
}

/** A signal is only sent while it may be answered. */
export function maySignal(history: AttachHistory): boolean {
  return history.timeouts < MAX_SIGNALS;
}
