/** What one container's requests were like in one window: what travels, is stored and is judged. */
import { mergeSketches, type PackedSketch } from './latency-sketch.ts';
import { RPC_STREAM_METHOD } from './rpc.ts';

export interface RequestWindow {
  /** NotObservable: there may be requests, but they cannot be seen (TLS inside the JVM, an unknown protocol). */
  readonly state: RequestState;
  /** Why not, in a word and in a sentence; both '' when they are seen. */
  readonly reason: string;
  readonly message: string;
  /** Exchanges of which nothing is known but that they were lost on the way here. */
  readonly lost: number;
  readonly routes: readonly RouteWindow[];
}
export type RequestState = 'Seen' | 'NotObservable';

/** Requests of one method to one route. */
export interface RouteWindow {
  readonly method: string;
  readonly route: string;
  /** Present when the route is a pattern of a user, or the name of a call: no pod will say it otherwise. */
  readonly byPattern?: true;
  /** Answers by class of status: none seen, 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly answers: StatusCounts;
  /** Ended by the client before the answer was whole. */
  readonly clientGone: number;
  readonly unfinished: number;
  readonly reset: number;
  /** Latency of requests answered with less than 500: a fast error is no fast answer. */
  readonly latency: PackedSketch;
  /** How long those without an answer had waited when they ended. */
  readonly waited: PackedSketch;
}
export type StatusCounts = readonly [number, number, number, number, number, number];

/** Rows of one window and container at most; the rest is counted under `other`. */
export const MOST_ROWS = 256;

/** Requests that were answered, or ended otherwise. */
export const requestsOf = (row: RouteWindow): number =>
  row.answers.reduce((sum, count) => sum + count, 0) + row.clientGone + row.unfinished + row.reset;

/** The same of several rows together. */
export const requestsIn = (rows: readonly RouteWindow[]): number =>
  rows.reduce((sum, row) => sum + requestsOf(row), 0);

/** Requests that the server failed: 5xx, torn down, or never answered. */
export const failuresOf = (row: RouteWindow): number => row.answers[5] + row.unfinished + row.reset;

/** As it is compared: how long a stream lasts is no latency. */
export const comparableRow = (row: RouteWindow): RouteWindow =>
  row.method === RPC_STREAM_METHOD ? { ...row, latency: [], waited: [] } : row;

/** Two rows that turned out to be of one route. */
export function mergeRows(a: RouteWindow, b: RouteWindow): RouteWindow {
  return {
    ...a,
    answers: [0, 1, 2, 3, 4, 5].map(
      (at) => (a.answers[at] ?? 0) + (b.answers[at] ?? 0),
    ) as unknown as StatusCounts,
    clientGone: a.clientGone + b.clientGone,
    unfinished: a.unfinished + b.unfinished,
    reset: a.reset + b.reset,
    latency: mergeSketches(a.latency, b.latency),
    waited: mergeSketches(a.waited, b.waited),
  };
}
