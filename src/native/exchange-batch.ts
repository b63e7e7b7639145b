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
 * In the order of enum class Outcome of native/http_connection.h. ClientGone: the client closed, or reset the stream, before the
 * response was complete, Unfinished: the server closed, Reset: the connection was reset or timed out, or the server reset the
 * stream before that.
 */
export const OUTCOMES = ['Completed', 'ClientGone', 'Unfinished', 'Reset'] as const;
export type ExchangeOutcome = (typeof OUTCOMES)[number];

/** In the order of enum class Rpc of native/http_connection.h: a call of gRPC, with more than one message either way or not. */
export const RPCS = ['None', 'Unary', 'Streaming'] as const;
export type RpcKind = (typeof RPCS)[number];

/** kNoGrpcStatus of native/http_connection.h. */
const NO_GRPC_STATUS = 255;

/** A request that a watched container was sent over HTTP, and what became of it. */
export interface Exchange {
  /** The number it is watched under. */
  readonly container: number;
  /** CLOCK_MONOTONIC, when the request's first byte reached the socket. */
  readonly startedAtNs: number;
  /** Until the last byte of the response was given to the kernel, or the connection ended. */
  readonly latencyNs: number;
  /** When the call was over by which its head was read, by this process and this thread of it. */
  readonly receivedAtNs: number;
  readonly process: number;
  readonly receiver: number;
  /** The thread that sent the last of the answer; 0 if the connection ended. */
  readonly sender: number;
  /** How long the process's JVM stood still from when it was received until it was answered; undefined if that is not known. */
  readonly stoppedNs: number | undefined;
  readonly method: RequestMethod;
  /** Printable ASCII without query and authority, at most 512 characters; empty if it is not known. */
  readonly path: string;
  /** 0 if no response was begun, or its status is not known. */
  readonly status: number;
  readonly rpc: RpcKind;
  /** Of a call of gRPC; undefined if it was not said, or is not known. */
  readonly grpcStatus: number | undefined;
  readonly outcome: ExchangeOutcome;
  /** Heads included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Field of W3C Trace Context, checked: 00-<32 hex>-<16 hex>-<2 hex>. '' if there was none. */
  readonly traceParent: string;
}

/** A request that is not answered yet. */
export interface OpenRequest {
  /** The number it is watched under. */
  readonly container: number;
  readonly process: number;
  readonly receiver: number;
  readonly receivedAtNs: number;
}

export function decodeOpen(numbers: Float64Array): readonly OpenRequest[] {
  const open: OpenRequest[] = [];
  for (let at = 0; at < numbers.length; at += 4) {
    const [container = 0, process = 0, receiver = 0, receivedAtNs = 0] = numbers.subarray(at, at + 4);
    open.push({ container, process, receiver, receivedAtNs });
  }
  return open;
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
  const grpcStatus = number(native.grpcStatuses);
  const stoppedNs = native.stoppedNs[index] ?? -1;
  return {
    container: number(native.containers),
    startedAtNs: number(native.startedAtNs),
    latencyNs: number(native.latencyNs),
    receivedAtNs: number(native.receivedAtNs),
    process: number(native.processes),
    receiver: number(native.receivers),
    sender: number(native.senders),
    stoppedNs: stoppedNs < 0 ? undefined : stoppedNs,
    method: METHODS[number(native.methods)] ?? 'OTHER',
    path: native.paths[number(native.pathIndices)] ?? '',
    status: number(native.statuses),
    rpc: RPCS[number(native.rpcs)] ?? 'None',
    grpcStatus: grpcStatus === NO_GRPC_STATUS ? undefined : grpcStatus,
    outcome: OUTCOMES[number(native.outcomes)] ?? 'Unfinished',
    bytesIn: number(native.bytesIn),
    bytesOut: number(native.bytesOut),
    traceParent: native.traceParents[index] ?? '',
  };
}
