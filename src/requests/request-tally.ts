/** Sums one container's exchanges up to the end of a window. */
import type { Exchange, StatusClass } from './exchange.ts';
import { LatencySketch } from './latency-sketch.ts';
import { MOST_ROWS, mergeRows, type RequestWindow, type RouteWindow } from './request-window.ts';
import { OTHER_ROUTE, type RouteLabel, RouteLabels } from './route-labels.ts';
import { isRpc, isRpcFound, RPC_METHOD, RPC_STREAM_METHOD, rpcClass } from './rpc.ts';

/** RFC 9110 §9 and RFC 5789, and calls; anything else is `other`, so that no client makes up labels. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT'],
  ...[RPC_METHOD, RPC_STREAM_METHOD],
]);
export const OTHER_METHOD = 'other';

/** What an exchange was counted as. */
export interface CountedAs {
  readonly method: string;
  readonly label: RouteLabel;
}

interface Row extends CountedAs {
  readonly answers: [number, number, number, number, number, number];
  clientGone: number;
  unfinished: number;
  reset: number;
  readonly latency: LatencySketch;
  readonly waited: LatencySketch;
}

export class RequestTally {
  readonly #labels: RouteLabels;
  readonly #rows = new Map<string, Map<string, Row>>();
  #rowCount = 0;
  #lost = 0;

  /** `routes`: the patterns of the policy. */
  constructor(routes: readonly string[] = []) {
    this.#labels = new RouteLabels(routes);
  }

  /** What routes have become: labels given out before are to be asked for anew when `version` has grown. */
  get routes(): Pick<RouteLabels, 'version' | 'asOfNow'> {
    return this.#labels;
  }

  add(exchange: Exchange): CountedAs {
    const class_ = classOf(exchange);
    const row = this.#rowOf(methodOf(exchange), this.#labelOf(exchange, class_));
    const latencyUs = exchange.latencyNs / 1_000;
    switch (exchange.outcome) {
      case 'Completed': {
        row.answers[class_] += 1;
        if (class_ < 5) row.latency.add(latencyUs);
        return row;
      }
      case 'ClientGone':
        row.clientGone += 1;
        row.waited.add(latencyUs);
        return row;
      case 'Unfinished':
        row.unfinished += 1;
        row.waited.add(latencyUs);
        return row;
      case 'Reset':
        row.reset += 1;
        row.waited.add(latencyUs);
        return row;
    }
  }

  /** Exchanges that were lost before anybody could count them. */
  lose(exchanges: number): void {
    this.#lost += exchanges;
  }

  /** What came since the last time. */
  take(): RequestWindow {
    const routes = new Map<string, RouteWindow>();
    for (const ofRoute of this.#rows.values()) {
      for (const row of ofRoute.values()) {
        const packed = pack(row, this.#labels.asOfNow(row.label));
        const key = `${packed.method} ${packed.route}`;
        const same = routes.get(key);
        routes.set(key, same === undefined ? packed : mergeRows(same, packed));
      }
    }
    this.#rows.clear();
    this.#rowCount = 0;
    const lost = this.#lost;
    this.#lost = 0;
    return { state: 'Seen', reason: '', message: '', lost, routes: [...routes.values()] };
  }

  #labelOf(exchange: Exchange, class_: StatusClass): RouteLabel {
    if (isRpc(exchange)) return this.#labels.rpcLabelOf(exchange.path, isRpcFound(exchange, class_));
    return this.#labels.labelOf(exchange.path, class_ !== 0 && class_ !== 4);
  }

  #rowOf(method: string, label: RouteLabel): Row {
    const name = METHODS.has(method) ? method : OTHER_METHOD;
    const known = this.#rows.get(label.route)?.get(name);
    if (known !== undefined) return known;
    const isOther = label.route === OTHER_ROUTE && name === OTHER_METHOD;
    if (this.#rowCount >= MOST_ROWS - 1 && !isOther) {
      return this.#rowOf(OTHER_METHOD, { route: OTHER_ROUTE, byPattern: false });
    }
    const row = newRow(name, label);
    const ofRoute = this.#rows.get(label.route) ?? new Map<string, Row>();
    this.#rows.set(label.route, ofRoute.set(name, row));
    this.#rowCount += 1;
    return row;
  }
}

function methodOf({ rpc, method }: Exchange): string {
  if (rpc === 'Streaming') return RPC_STREAM_METHOD;
  return rpc === 'Unary' ? RPC_METHOD : method;
}

function classOf(exchange: Exchange): StatusClass {
  const ofHttp = statusClass(exchange.status);
  return isRpc(exchange) ? rpcClass(exchange.grpcStatus, ofHttp) : ofHttp;
}

const statusClass = (status: number): StatusClass => {
  const class_ = Math.floor(status / 100);
  return class_ === 1 || class_ === 2 || class_ === 3 || class_ === 4 || class_ === 5 ? class_ : 0;
};

const newRow = (method: string, label: RouteLabel): Row => ({
  method,
  label,
  answers: [0, 0, 0, 0, 0, 0],
  clientGone: 0,
  unfinished: 0,
  reset: 0,
  latency: new LatencySketch(),
  waited: new LatencySketch(),
});

function pack(row: Row, { route, byPattern }: RouteLabel): RouteWindow {
  const { method, answers, clientGone, unfinished, reset } = row;
  return {
    method,
    route,
    ...(byPattern ? { byPattern: true as const } : {}),
    ...{ answers, clientGone, unfinished, reset },
    latency: row.latency.pack(),
    waited: row.waited.pack(),
  };
}
