/** Requests of a window for tests: every field has a default, a test names what it is about. */
import { countOf } from '../latency-sketch.ts';
import type { RequestWindow, RouteWindow } from '../request-window.ts';

/** Ten requests answered with 200 in about 5 ms, unless said otherwise. */
export function aRoute(fields: Partial<RouteWindow> = {}): RouteWindow {
  const latency = fields.latency ?? [426, 10];
  return {
    method: 'GET',
    route: '/orders/{}',
    answers: [0, 0, countOf(latency), 0, 0, 0],
    clientGone: 0,
    unfinished: 0,
    reset: 0,
    waited: [],
    ...fields,
    latency,
  };
}

export const aRequestWindow = (fields: Partial<RequestWindow> = {}): RequestWindow => ({
  state: 'Seen',
  reason: '',
  message: '',
  lost: 0,
  routes: [aRoute()],
  ...fields,
});
