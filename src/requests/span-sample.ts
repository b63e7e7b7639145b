/** Of the requests of one window, those that become spans: the slowest, and some by lot, so that slow ones have something beside. */
import type { TimedExchange } from './exchange.ts';
import type { CountedAs } from './request-tally.ts';
import type { RouteLabel } from './route-labels.ts';
import { isSampled } from './trace-parent.ts';

export const SLOWEST = 5;
export const BY_LOT = 5;

export interface SpanCandidate {
  readonly exchange: TimedExchange;
  readonly method: string;
  readonly label: RouteLabel;
}

export class SpanSample {
  readonly #random: () => number;
  /** The least slow first. */
  #slowest: SpanCandidate[] = [];
  /** Reservoir sampling (Vitter's algorithm R). */
  #byLot: SpanCandidate[] = [];
  #seen = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  add(exchange: TimedExchange, { method, label }: CountedAs): void {
    if (!isRecorded(exchange.traceParent)) return;
    this.#seen += 1;
    const isSlow =
      this.#slowest.length < SLOWEST ||
      exchange.latencyNs > (this.#slowest[0]?.exchange.latencyNs ?? Number.POSITIVE_INFINITY);
    const ticket = Math.floor(this.#random() * this.#seen);
    if (!isSlow && this.#byLot.length >= BY_LOT && ticket >= BY_LOT) return;
    const candidate = { exchange, method, label };
    if (isSlow) this.#addSlow(candidate);
    if (this.#byLot.length < BY_LOT) this.#byLot.push(candidate);
    else if (ticket < BY_LOT) this.#byLot[ticket] = candidate;
  }

  /** Those since the last time, each once. */
  take(): readonly SpanCandidate[] {
    const taken = [...new Set([...this.#slowest, ...this.#byLot])];
    this.#slowest = [];
    this.#byLot = [];
    this.#seen = 0;
    return taken;
  }

  #addSlow(candidate: SpanCandidate): void {
    this.#slowest.push(candidate);
    this.#slowest.sort((a, b) => a.exchange.latencyNs - b.exchange.latencyNs);
    if (this.#slowest.length > SLOWEST) this.#slowest.shift();
  }
}

/** A caller that does not record its trace has nobody who would miss this part of it. */
const isRecorded = (traceParent: string): boolean => traceParent === '' || isSampled(traceParent);
