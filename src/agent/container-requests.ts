/** What was seen of one container's requests since its last window, and what a window may say of them. */
import type { HiddenCalls } from '../native/request-watcher.ts';
import type { Exchange, TimedExchange } from '../requests/exchange.ts';
import { LONGEST_MESSAGE, LONGEST_REASON } from '../requests/parse-request-window.ts';
import { type CountedAs, RequestTally } from '../requests/request-tally.ts';
import type { RequestWindow } from '../requests/request-window.ts';
import type { SpanSample } from '../requests/span-sample.ts';
import { ContainerServed } from './container-served.ts';
import type { ContainerDurations } from './request-durations.ts';
import type { SamplerFailure } from './sampler-host.ts';

export const NOTHING_HIDDEN: HiddenCalls = { tls: 0, http2: 0, other: 0 };

export class ContainerRequests {
  readonly routes: readonly string[];
  /** While some of its requests are to become spans: what was added is to be told to it, too. */
  spans: SpanSample | undefined;
  readonly served = new ContainerServed();
  readonly #tally: RequestTally;
  readonly #durations: ContainerDurations;
  #hidden = NOTHING_HIDDEN;
  #answered = 0;
  #everServed = false;
  #everOther = false;

  constructor(routes: readonly string[], durations: ContainerDurations) {
    this.routes = routes;
    this.#durations = durations;
    this.#tally = new RequestTally(routes);
  }

  /** Exchanges since the last window. */
  get answered(): number {
    return this.#answered;
  }

  add(exchange: Exchange | TimedExchange): CountedAs {
    const as = this.#tally.add(exchange);
    this.#durations.add(exchange, as);
    this.#answered += 1;
    this.#everServed = true;
    return as;
  }

  lose(exchanges: number): void {
    this.#tally.lose(exchanges);
    this.#durations.lose(exchanges);
    if (exchanges > 0) this.served.log.lose();
  }

  /** Calls whose bytes nobody can read here. */
  hide({ tls, http2, other }: HiddenCalls): void {
    const { tls: tlsBefore, http2: http2Before, other: otherBefore } = this.#hidden;
    this.#hidden = { tls: tlsBefore + tls, http2: http2Before + http2, other: otherBefore + other };
    this.#everOther ||= other > 0;
    if (tls + http2 > 0) this.served.log.lose();
  }

  /**
   * situation                                                  → what the window says
   * requests are not watched, for a reason                     → NotObservable, that one
   * more came by TLS, or by HTTP/2 in which no request was
   *   found, than there were requests                          → NotObservable: those seen are a probe's, perhaps
   * there were requests, in this window or before              → Seen
   * something came, and it was never HTTP                      → NotObservable
   * nothing came                                               → Seen, and none
   */
  take(failure: SamplerFailure | undefined): RequestWindow {
    const window = this.#tally.take();
    this.#durations.fold(this.#tally.routes);
    const why = failure === undefined ? this.#whyHidden() : whyFailed(failure);
    this.#hidden = NOTHING_HIDDEN;
    this.#answered = 0;
    return why === undefined ? window : { state: 'NotObservable', ...why, lost: 0, routes: [] };
  }

  /** What a request was counted as is by now. */
  labelOf({ method, label }: CountedAs): CountedAs {
    return { method, label: this.#tally.routes.asOfNow(label) };
  }

  /** Nothing is left of it, here or on the page of metrics. */
  end(): void {
    this.#durations.end();
  }

  #whyHidden(): Why | undefined {
    const { tls, http2 } = this.#hidden;
    if (tls + http2 > this.#answered) {
      const [reason, by] =
        tls >= http2
          ? (['Tls', 'TLS, which cannot be read here'] as const)
          : (['Http2', 'HTTP/2 on connections from before, in which no request was found yet'] as const);
      return { reason, message: `it was asked by ${by}, beside ${this.#answered} requests that were seen` };
    }
    if (this.#everServed || !this.#everOther) return undefined;
    return { reason: 'NoHttp', message: 'there are connections, and no request of HTTP was seen on any' };
  }
}

type Why = Pick<RequestWindow, 'reason' | 'message'>;

const whyFailed = ({ code, message }: SamplerFailure): Why => ({
  reason: code.slice(0, LONGEST_REASON),
  message: message.slice(0, LONGEST_MESSAGE),
});
