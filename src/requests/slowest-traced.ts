/**
 * Of one series, the slowest request that its caller's trace knows: an exemplar. A page shows the slowest since the page before
 * the last one. So a second Prometheus beside the first misses none, and what one is shown again it takes for what it is, for an
 * exemplar is never followed by an older one, which Prometheus would refuse.
 */
import { isSampled } from './trace-parent.ts';

export interface Exemplar {
  readonly traceParent: string;
  /** In the unit of its histogram. */
  readonly duration: number;
  /** Since 1970. */
  readonly endedMs: number;
}

export class SlowestTraced {
  #sincePage: Exemplar | undefined;
  #before: Exemplar | undefined;

  /** `endedMs` is asked of those that are kept. */
  add(duration: number, traceParent: string, endedMs: () => number): void {
    if (this.#sincePage !== undefined && !(duration > this.#sincePage.duration)) return;
    if (!(duration >= 0) || !isSampled(traceParent)) return;
    this.#sincePage = { traceParent, duration, endedMs: endedMs() };
  }

  addAll(other: SlowestTraced): void {
    this.#sincePage = slower(this.#sincePage, other.#sincePage);
    this.#before = slower(this.#before, other.#before);
  }

  /** For one page. */
  show(): Exemplar | undefined {
    const shown = slower(this.#before, this.#sincePage);
    this.#before = this.#sincePage;
    this.#sincePage = undefined;
    return shown;
  }
}

function slower(one: Exemplar | undefined, other: Exemplar | undefined): Exemplar | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.duration > one.duration ? other : one;
}
