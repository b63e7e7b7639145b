/** Spans as OTLP has them in JSON (opentelemetry-proto, ExportTraceServiceRequest), of which this is all that is needed. Pure. */
import { httpAttributes } from '../requests/http-attributes.ts';
import type { CountedAs } from '../requests/request-tally.ts';
import { isRpc } from '../requests/rpc.ts';
import { RPC_SYSTEM, rpcAttributes, rpcEndOf } from '../requests/rpc-attributes.ts';
import type { SpanCandidate } from '../requests/span-sample.ts';
import { flagsOf, parentIdOf, traceIdOf } from '../requests/trace-parent.ts';
import { type Answerer, answererAttributes } from './answerer.ts';

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: typeof SERVER;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status?: { readonly code: typeof ERROR };
}

/** Spans of one container. */
export interface ResourceSpans {
  readonly resource: { readonly attributes: readonly Attribute[] };
  readonly scopeSpans: readonly [{ readonly scope: typeof SCOPE; readonly spans: readonly OtlpSpan[] }];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

export interface SpanClock {
  /** Of CLOCK_MONOTONIC's zero, since 1970. */
  readonly epochNs: bigint;
  /** So many random hexadecimal digits, not all zero. */
  hex(digits: number): string;
}

const SERVER = 2;
const ERROR = 2;
const SCOPE = { name: 'flamegate' } as const;
/** Flag bits of OTLP above those of the field: it is known whether the parent is remote, and it is. */
const REMOTE_PARENT = 0x300;
const SAMPLED = 1;

export function resourceSpans(
  answerer: Answerer,
  candidates: readonly SpanCandidate[],
  clock: SpanClock,
): ResourceSpans {
  const attributes = { 'service.name': serviceName(answerer), ...answererAttributes(answerer) };
  return {
    resource: { attributes: Object.entries(attributes).map(([key, value]) => text(key, value)) },
    scopeSpans: [{ scope: SCOPE, spans: candidates.map((each) => spanOf(each, clock)) }],
  };
}

/** As OpenTelemetry's operator names services by default. */
const serviceName = ({ workload, pod }: Answerer): string => workload?.name ?? pod;

/** With a valid traceparent it belongs to the caller's trace; without one it is a trace of its own. */
function spanOf({ exchange, method, label }: SpanCandidate, { epochNs, hex }: SpanClock): OtlpSpan {
  const { traceParent } = exchange;
  const startNs = epochNs + BigInt(Math.round(exchange.startedAtNs));
  const { name, attributes, error } = isRpc(exchange)
    ? callFacts(exchange, { method, label })
    : requestFacts(exchange, { method, label });
  const isChild = traceParent !== '';
  return {
    traceId: isChild ? traceIdOf(traceParent) : hex(32),
    spanId: hex(16),
    ...(isChild ? { parentSpanId: parentIdOf(traceParent) } : {}),
    flags: isChild ? REMOTE_PARENT | flagsOf(traceParent) : SAMPLED,
    name,
    kind: SERVER,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + BigInt(Math.round(exchange.latencyNs))),
    attributes: error === undefined ? attributes : [...attributes, text('error.type', error)],
    ...(error === undefined ? {} : { status: { code: ERROR } }),
  };
}

interface SpanFacts {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly error: string | undefined;
}

function requestFacts(exchange: SpanCandidate['exchange'], as: CountedAs): SpanFacts {
  const { method, route, status, error } = httpAttributes(exchange, as);
  return {
    name: route === undefined ? method : `${method} ${route}`,
    attributes: [
      text('http.request.method', method),
      text('url.scheme', 'http'),
      ...(route === undefined ? [] : [text('http.route', route)]),
      ...(status === undefined ? [] : [int('http.response.status_code', status)]),
    ],
    error,
  };
}

function callFacts(exchange: SpanCandidate['exchange'], as: CountedAs): SpanFacts {
  const { service, method, status, error } = rpcAttributes(rpcEndOf(exchange), as);
  return {
    name: [service, method].filter((part) => part !== undefined).join('/') || RPC_SYSTEM,
    attributes: [
      text('rpc.system', RPC_SYSTEM),
      ...(service === undefined ? [] : [text('rpc.service', service)]),
      ...(method === undefined ? [] : [text('rpc.method', method)]),
      ...(status === undefined ? [] : [int('rpc.grpc.status_code', status)]),
    ],
    error,
  };
}

const text = (key: string, stringValue: string): Attribute => ({ key, value: { stringValue } });
const int = (key: string, value: number): Attribute => ({ key, value: { intValue: String(value) } });
