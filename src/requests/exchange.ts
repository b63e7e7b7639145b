/**
 * How a request ended. ClientGone: the client closed, or gave its stream up, before the answer was whole. Unfinished: the server
 * did, or the watch over it ended. Reset: the connection was torn down or timed out, or the server gave the stream up.
 */
export type ExchangeOutcome = 'Completed' | 'ClientGone' | 'Unfinished' | 'Reset';

/** The first digit of a status of HTTP; 0: none was seen. */
export type StatusClass = 0 | 1 | 2 | 3 | 4 | 5;

/** One request and its answer, of what is known of them: what has to be counted. */
export interface Exchange {
  readonly method: string;
  /** As it stood in the request line: hostile until proven otherwise. */
  readonly path: string;
  /** 0: none was seen. */
  readonly status: number;
  /** A call of gRPC, with more than one message either way or not; nothing: none. */
  readonly rpc?: 'None' | 'Unary' | 'Streaming';
  /** Of a call. undefined: none was seen. */
  readonly grpcStatus?: number | undefined;
  readonly outcome: ExchangeOutcome;
  /** From the arrival of the request to the last byte of the answer, or to its end without one. */
  readonly latencyNs: number;
}

/** One of which it is known when it was, and in whose trace. */
export interface TimedExchange extends Exchange {
  /** CLOCK_MONOTONIC. */
  readonly startedAtNs: number;
  /** The checked field of W3C Trace Context; '' if none was seen. */
  readonly traceParent: string;
}
