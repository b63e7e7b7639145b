/**
 * How a request ended. ClientGone: the client closed before the answer was whole. Unfinished: the server did, or the watch over
 * it ended. Reset: the connection was torn down or timed out.
 */
export type ExchangeOutcome = 'Completed' | 'ClientGone' | 'Unfinished' | 'Reset';

/** One request and its answer, of what is known of them: what has to be counted. */
export interface Exchange {
  readonly method: string;
  /** As it stood in the request line: hostile until proven otherwise. */
  readonly path: string;
  /** 0: none was seen. */
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  /** From the arrival of the request to the last byte of the answer, or to its end without one. */
  readonly latencyNs: number;
}
