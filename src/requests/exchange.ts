/** How a request ended, as seen at the server's socket. */
export type ExchangeOutcome =
  | 'Completed'
  /** The client closed before the answer was whole. */
  | 'ClientGone'
  /** No answer, or half of one, when the watch over it ended. */
  | 'Unfinished'
  /** The server tore the connection down. */
  | 'Reset';

/** One request and its answer. */
export interface Exchange {
  readonly container: string;
  readonly startedAtNs: bigint;
  /** From the arrival of the request to the last byte of the answer, or to its end without one. */
  readonly latencyNs: bigint | number;
  readonly method: string;
  /** As it stood in the request line: hostile until proven otherwise. */
  readonly path: string;
  /** 0: none was seen. */
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
