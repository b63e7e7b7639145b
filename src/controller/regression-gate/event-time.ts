/**
 * The time a gate is judged at. Not the controller's: a look closes when the nodes of both arms have told what happened until then, so
 * that a leader who is told everything anew, minutes later, comes to what the one before would have come to. Pure.
 */
import { LATE_MS } from '../../detect/looks.ts';

export interface EventTime {
  readonly nowMs: number;
  /** Until when the windows of both arms are stored; Infinity when nobody is waited for. */
  readonly toldToMs: number;
  readonly deadlineAtMs: number;
}

/** Never past the deadline before its last window has been told, or had the time it is given. */
export function eventTimeMs({ nowMs, toldToMs, deadlineAtMs }: EventTime): number {
  const atMs = Math.min(nowMs, toldToMs + LATE_MS);
  return atMs - LATE_MS < deadlineAtMs ? Math.min(atMs, deadlineAtMs - 1) : atMs;
}
