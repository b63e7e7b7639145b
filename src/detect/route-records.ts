/** What each route's requests add up to, beside the sum that is tested: for a report that says which of them carry a growth. */

import { logQuantile } from '../requests/latency-histogram.ts';
import { type RouteWindow, requestsOf } from '../requests/request-window.ts';
import type { SharedRoutes } from '../requests/shared-routes.ts';
import { hasEnough, slowerThan } from './latency-evidence.ts';
import {
  addStratum,
  addSums,
  createStratumSums,
  RARE,
  type Stratum,
  type StratumSums,
} from './request-arms.ts';
import { Restarts } from './restarts.ts';

/** Of one quantile. */
export interface RouteTail {
  readonly quantile: number;
  /** The route's own log latency at the quantile, fixed once; pods and later starts are counted against it. */
  threshold: number | undefined;
  own: Restarts;
  /** Against the threshold of all routes together: what the route adds to the sum that is tested. */
  shared: Restarts;
}

export interface RouteRecord {
  readonly key: string;
  /** Undefined of what is no single route. */
  readonly name: Pick<RouteWindow, 'method' | 'route' | 'byPattern'> | undefined;
  readonly sums: StratumSums;
  readonly tails: readonly RouteTail[];
}

// 32 KB each. Who has more routes has most requests in a few of them; the rest are one.
const MOST_ROUTES = 64;
export const OTHER_ROUTES = 'other routes';

export class RouteRecords {
  readonly #records = new Map<string, RouteRecord>();
  readonly #quantiles: readonly number[];
  readonly #blocks: number;

  /** `blocks`: of BLOCK_MS until the gate's deadline. */
  constructor(quantiles: readonly number[], blocks: number) {
    this.#quantiles = quantiles;
    this.#blocks = blocks;
  }

  get all(): readonly RouteRecord[] {
    return [...this.#records.values()];
  }

  /** `thresholds`: of all routes together, of each quantile. */
  add(
    block: number,
    strata: readonly Stratum[],
    {
      routes,
      thresholds,
    }: { readonly routes: SharedRoutes; readonly thresholds: readonly (number | undefined)[] },
  ): void {
    this.#foldAlike(routes);
    const busiestFirst = strata.toSorted((a, b) => requestsOf(b.canary) - requestsOf(a.canary));
    for (const stratum of busiestFirst) {
      const { sums, tails } = this.#recordOf(stratum);
      addStratum(sums, stratum);
      for (const [at, tail] of tails.entries()) {
        count(tail.shared, block, stratum, thresholds[at]);
        count(tail.own, block, stratum, tail.threshold);
        if (tail.threshold === undefined && hasEnough(sums.baseline.answered, tail.quantile)) {
          tail.threshold = logQuantile(sums.baseline.latency, tail.quantile);
        }
      }
    }
  }

  #recordOf({ key, canary }: Stratum): RouteRecord {
    const isRoom = this.#records.has(key) || this.#records.size < MOST_ROUTES;
    const kept = isRoom ? key : OTHER_ROUTES;
    const known = this.#records.get(kept);
    if (known !== undefined) return known;
    const { method, route, byPattern } = canary;
    const isOne = isRoom && key !== RARE;
    const record: RouteRecord = {
      key: kept,
      name: isOne ? { method, route, ...(byPattern && { byPattern }) } : undefined,
      sums: createStratumSums(),
      tails: this.#quantiles.map((quantile) => ({
        ...{ quantile, threshold: undefined },
        ...{ own: new Restarts(this.#blocks), shared: new Restarts(this.#blocks) },
      })),
    };
    this.#records.set(kept, record);
    return record;
  }

  /** Routes that turned out to be one since: of their later starts, those of the busier one are kept. */
  #foldAlike(routes: SharedRoutes): void {
    for (const record of this.#records.values()) {
      const key = record.name === undefined ? record.key : routes.keyOf(record.name);
      if (key === record.key) continue;
      this.#records.delete(record.key);
      const same = this.#records.get(key);
      const [kept, folded] =
        same !== undefined && same.sums.canary.requests > record.sums.canary.requests
          ? [same, record]
          : [record, same];
      if (folded !== undefined) addSums(kept.sums, folded.sums);
      this.#records.set(key, { ...kept, key });
    }
  }
}

function count(
  restarts: Restarts,
  block: number,
  { canary, baseline }: Stratum,
  threshold: number | undefined,
): void {
  if (threshold === undefined) return;
  const ofCanary = slowerThan([canary], threshold);
  const ofBaseline = slowerThan([baseline], threshold);
  if (ofBaseline.requests === 0) return;
  const weight = ofCanary.requests / ofBaseline.requests;
  restarts.add(block, {
    requests: ofCanary.requests,
    counted: ofCanary.counted,
    expected: weight * ofBaseline.counted,
    squares: weight * ofCanary.requests,
    looks: 1,
  });
}
