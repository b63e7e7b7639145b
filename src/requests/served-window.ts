/** What the requests of one window of a container cost: where their threads were, by route, slow requests and normal ones apart. */

/**
 * slow: above the 95th percentile of the route's latest answers. normal: not. unrated: not answered, failed, or of a route with
 * too few answers to tell; and samples that belong to requests of one route, but to which is not known.
 */
export const SPEEDS = ['slow', 'normal', 'unrated'] as const;
export type Speed = (typeof SPEEDS)[number];

export interface ServedWindow {
  /** Samples, and nanoseconds waited, that belong to no request, or nobody knows to which. What threads wait for work is not waited. */
  readonly otherSamples: number;
  readonly otherWaitedNs: number;
  readonly rows: readonly ServedRow[];
}

/** A request that its caller's trace knows. */
export interface TracedRequest {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  readonly latencyNs: number;
}

/** Requests of one method, route and speed. */
export interface ServedRow {
  readonly method: string;
  readonly route: string;
  /** As RouteWindow has it. */
  readonly byPattern?: true;
  readonly speed: Speed;
  /** Those that ended in the window; samples may be of those that ended in the window before. */
  readonly requests: number;
  readonly latencyNs: number;
  /** Of that, until the application had read them. */
  readonly unreadNs: number;
  /** Of the rest, how long the JVM stood still, mostly for its collector, and of how many requests that is known. */
  readonly stoppedNs: number;
  readonly stopsKnown: number;
  /** Of slow ones the slowest, if a caller's trace knows one; from agents that look. */
  readonly slowest?: TracedRequest;
  /** [index into the batch's stacks, samples] pairs. */
  readonly samples: readonly (readonly [number, number])[];
  /** [index into the batch's stacks, nanoseconds] pairs. */
  readonly waited: readonly (readonly [number, number])[];
}

/** Routes of which it is told, those with the most requests first. */
export const MOST_SERVED_ROUTES = 32;
export const MOST_SERVED_ROWS = MOST_SERVED_ROUTES * SPEEDS.length;
