/**
 * http.server.request.duration and rpc.server.duration of the containers whose requests are watched, since each is watched. What
 * it costs is bounded: a container has so many series, the node has so many, and what finds no room is one series more of each
 * metric, as in OpenTelemetry's SDKs.
 */
import { DurationHistogram } from '../requests/duration-histogram.ts';
import type { Exchange, TimedExchange } from '../requests/exchange.ts';
import { httpAttributes } from '../requests/http-attributes.ts';
import type { CountedAs, RequestTally } from '../requests/request-tally.ts';
import { isRpc, RPC_METHOD } from '../requests/rpc.ts';
import { RPC_SYSTEM, rpcAttributes, rpcEndOf } from '../requests/rpc-attributes.ts';
import { type Answerer, answererAttributes } from './answerer.ts';
import type { HistogramSample, Labels, NumberSample } from './exposition.ts';

/** 1.7 KB each with latencies over six octaves. */
const MOST_SERIES = 1_000;
const MOST_OF_CONTAINER = 250; // so that four may run wild before others go without
const OVERFLOW: Labels = { otel_metric_overflow: 'true' };

export interface RequestDurations {
  /**
   * Series of a container, of which there are none yet. `answerer` is asked anew for each page. They follow those of a container of
   * the same name, which has ended then: a series is on a page once.
   */
  begin(answerer: () => Answerer): ContainerDurations;
  readonly series: number;
  /** Requests of before and now that found no room. */
  readonly overflowed: number;
  /** In seconds. */
  http(): Iterable<HistogramSample>;
  /** In milliseconds; of calls of gRPC, which are no more in the other. */
  rpc(): Iterable<HistogramSample>;
  /**
   * Of each container, also of one that nobody asks: who reads the series learns from it that there was nothing to count, and, when it
   * becomes another moment, that all of them began anew. In seconds since 1970.
   */
  countedSince(): Iterable<NumberSample>;
  /** Of each container, what its series hold together: who reads them learns from it that none of them is missing. */
  counted(): Iterable<NumberSample>;
  /** Of each container. */
  lost(): Iterable<NumberSample>;
}

export interface ContainerDurations {
  add(exchange: Exchange | TimedExchange, as: CountedAs): void;
  /** Requests that were lost before they could be counted. */
  lose(exchanges: number): void;
  /** Series of routes that have become one are one from now on. */
  fold(routes: RequestTally['routes']): void;
  /** They are gone. */
  end(): void;
}

type Kind = 'http' | 'rpc';

interface Series {
  readonly kind: Kind;
  readonly as: CountedAs;
  readonly status: number;
  readonly grpcStatus: number | undefined;
  readonly outcome: Exchange['outcome'];
  readonly histogram: DurationHistogram;
}

/** `epochMs`: of CLOCK_MONOTONIC's zero, since 1970. */
export function createRequestDurations(
  epochMs: () => number = epochNowMs,
  now: () => number = Date.now,
): RequestDurations {
  const containers = new Map<ContainerSeries, () => Answerer>();
  const node: Node = {
    series: 0,
    epochMs,
    overflow: { http: new DurationHistogram('s'), rpc: new DurationHistogram('ms') },
  };
  function* samples(kind: Kind): Iterable<HistogramSample> {
    for (const [{ series }, answerer] of containers) {
      const labels = answererLabels(answerer());
      for (const one of series.values()) {
        if (one.kind !== kind) continue;
        yield { labels: { ...labels, ...LABELS[kind](one) }, histogram: one.histogram };
      }
    }
    const overflow = node.overflow[kind];
    if (overflow.count > 0) yield { labels: OVERFLOW, histogram: overflow };
  }
  function* figures(figure: 'sinceMs' | 'counted' | 'lost', unit: number): Iterable<NumberSample> {
    for (const [container, answerer] of containers)
      yield { labels: answererLabels(answerer()), value: container[figure] / unit };
  }
  return {
    begin(answerer) {
      for (const [before, wasAnswerer] of containers) {
        if (nameOf(wasAnswerer()) === nameOf(answerer())) before.end();
      }
      const container = new ContainerSeries(node, now(), () => containers.delete(container));
      containers.set(container, answerer);
      return container;
    },
    get series() {
      return node.series;
    },
    get overflowed() {
      return node.overflow.http.count + node.overflow.rpc.count;
    },
    http: () => samples('http'),
    rpc: () => samples('rpc'),
    countedSince: () => figures('sinceMs', 1_000),
    counted: () => figures('counted', 1),
    lost: () => figures('lost', 1),
  };
}

/** What all containers of the node share. */
interface Node {
  series: number;
  readonly epochMs: () => number;
  readonly overflow: Readonly<Record<Kind, DurationHistogram>>;
}

class ContainerSeries implements ContainerDurations {
  readonly series = new Map<string, Series>();
  readonly sinceMs: number;
  counted = 0;
  lost = 0;
  readonly #node: Node;
  readonly #leave: () => void;
  #hasEnded = false;
  #version = 0;

  constructor(node: Node, sinceMs: number, leave: () => void) {
    this.#node = node;
    this.sinceMs = sinceMs;
    this.#leave = leave;
  }

  add(exchange: Exchange | TimedExchange, as: CountedAs): void {
    if (this.#hasEnded) return;
    if (isRpc(exchange)) {
      // a stream with one message looks like a call: a method is one series
      const of = { kind: 'rpc' as const, as: { method: RPC_METHOD, label: as.label }, ...rpcEndOf(exchange) };
      this.#count(exchange, exchange.latencyNs / 1e6, this.#histogramOf(of));
      return;
    }
    const status = exchange.status >= 100 && exchange.status < 600 ? exchange.status : 0;
    const { outcome } = exchange;
    const of = { kind: 'http' as const, as, status, grpcStatus: undefined, outcome };
    this.#count(exchange, exchange.latencyNs / 1e9, this.#histogramOf(of));
  }

  lose(exchanges: number): void {
    this.lost += exchanges;
  }

  fold(routes: RequestTally['routes']): void {
    if (routes.version === this.#version) return;
    this.#version = routes.version;
    const before = [...this.series.values()];
    this.#clear();
    for (const { as, histogram, ...rest } of before) {
      const { method, label } = as;
      this.#histogramOf({ ...rest, as: { method, label: routes.asOfNow(label) } }).addAll(histogram);
    }
  }

  end(): void {
    this.#hasEnded = true;
    this.#clear();
    this.#leave();
  }

  #count(exchange: Exchange | TimedExchange, duration: number, to: DurationHistogram): void {
    to.add(duration);
    if (to === this.#node.overflow.http || to === this.#node.overflow.rpc) this.lost += 1;
    else this.counted += 1;
    if (!('traceParent' in exchange) || exchange.traceParent === '') return;
    const { startedAtNs, latencyNs, traceParent } = exchange;
    to.slowest.add(duration, traceParent, () => this.#node.epochMs() + (startedAtNs + latencyNs) / 1e6);
  }

  #clear(): void {
    this.#node.series -= this.series.size;
    this.series.clear();
  }

  #histogramOf(of: Omit<Series, 'histogram'>): DurationHistogram {
    const key = `${of.grpcStatus} ${of.status} ${of.outcome} ${of.as.method} ${of.as.label.route}`;
    const known = this.series.get(key);
    if (known !== undefined) return known.histogram;
    const isFull = this.series.size >= MOST_OF_CONTAINER || this.#node.series >= MOST_SERIES;
    if (isFull) return this.#node.overflow[of.kind];
    const histogram = new DurationHistogram(of.kind === 'http' ? 's' : 'ms');
    const { method, label } = of.as;
    this.series.set(key, { ...of, as: { method, label }, histogram }); // `as` is a whole row of a window
    this.#node.series += 1;
    return histogram;
  }
}

/** Anew: clocks are set. */
const epochNowMs = (): number => Date.now() - Number(process.hrtime.bigint()) / 1e6;

const nameOf = ({ namespace, pod, container }: Answerer): string => `${namespace}/${pod}/${container}`;

const answererLabels = (answerer: Answerer): Labels =>
  Object.fromEntries(
    Object.entries(answererAttributes(answerer)).map(([name, value]) => [name.replaceAll('.', '_'), value]),
  );

const LABELS: Readonly<Record<Kind, (series: Series) => Labels>> = { http: httpLabels, rpc: rpcLabels };

function httpLabels(series: Series): Labels {
  const { method, route, status, error } = httpAttributes(series, series.as);
  return {
    http_request_method: method,
    ...(route === undefined ? {} : { http_route: route }),
    ...(status === undefined ? {} : { http_response_status_code: String(status) }),
    ...(error === undefined ? {} : { error_type: error }),
    url_scheme: 'http',
  };
}

function rpcLabels(series: Series): Labels {
  const { service, method, status, error } = rpcAttributes(series, series.as);
  return {
    rpc_system: RPC_SYSTEM,
    ...(service === undefined ? {} : { rpc_service: service }),
    ...(method === undefined ? {} : { rpc_method: method }),
    ...(status === undefined ? {} : { rpc_grpc_status_code: String(status) }),
    ...(error === undefined ? {} : { error_type: error }),
  };
}
