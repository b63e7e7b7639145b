import type { NativeExchanges } from './request-addon.ts';

/** In the order of enum class Method of native/http_head.h. */
export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'OTHER',
] as const;
export type RequestMethod = (typeof METHODS)[number];

/**
 * In the order of enum class Outcome of native/http_connection.h. ClientGone: the client closed before the response was
 * complete, Unfinished: the server did, Reset: the connection was reset or timed out before that.
 */
export const OUTCOMES = ['Completed', 'ClientGone', 'Unfinished', 'Reset'] as const;
export type ExchangeOutcome = (typeof OUTCOMES)[number];

/** A request that a watched container was sent over HTTP/1.x, and what became of it. */
export interface Exchange {
  /** The number it is watched under. */
  readonly container: number;
  /** CLOCK_MONOTONIC, when the request's first byte reached the socket. */
  readonly startedAtNs: number;
  /** Until the last byte of the response was given to the kernel, or the connection ended. */
  readonly latencyNs: number;
  readonly method: RequestMethod;
  /** Printable ASCII without query and authority, at most 512 characters. */
  readonly path: string;
  /** 0 if no response was begun. */
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  /** Heads included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Field of W3C Trace Context, checked: 00-<32 hex>-<16 hex>-<2 hex>. '' if there was none, or none was asked for. */
  readonly traceParent: string;
}

/** Exchanges that finished between two takes, in the order in which they did; an object of each is made only when asked for. */
export interface ExchangeBatch extends Iterable<Exchange> {
  readonly length: number;
  /** Of each exchange; `paths[pathIndices[i]]` is its path, each distinct one being there once. */
  readonly containers: Uint32Array;
  readonly startedAtNs: Float64Array;
  readonly latencyNs: Float64Array;
  readonly statuses: Uint16Array;
  readonly paths: readonly string[];
  readonly pathIndices: Uint32Array;
  /** Undefined beyond the last. */
  at(index: number): Exchange | undefined;
}

/** Makes names of the addon's numbers. The columns stay views of its buffers. */
export function decodeExchanges(native: NativeExchanges): ExchangeBatch {
  const { length } = native.containers;
  const at = (index: number) => (index >= 0 && index < length ? exchangeAt(native, index) : undefined);
  return {
    length,
    containers: native.containers,
    startedAtNs: native.startedAtNs,
    latencyNs: native.latencyNs,
    statuses: native.statuses,
    paths: native.paths,
    pathIndices: native.pathIndices,
    at,
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index++) yield exchangeAt(native, index);
    },
  };
}

function exchangeAt(native: NativeExchanges, index: number): Exchange {
  const number = (column: { readonly [index: number]: number }) => column[index] ?? 0;
  return {
    container: number(native.containers),
    startedAtNs: number(native.startedAtNs),
    latencyNs: number(native.latencyNs),
    method: METHODS[number(native.methods)] ?? 'OTHER',
    path: native.paths[number(native.pathIndices)] ?? '',
    status: number(native.statuses),
    outcome: OUTCOMES[number(native.outcomes)] ?? 'Unfinished',
    bytesIn: number(native.bytesIn),
    bytesOut: number(native.bytesOut),
    traceParent: native.traceParents?.[index] ?? '',
  };
}
