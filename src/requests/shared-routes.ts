/** The same routes for the windows of many pods: what one of them folded is folded for all. */
import { mergeRows, type RouteWindow } from './request-window.ts';
import { OTHER_ROUTE } from './route-labels.ts';
import { RouteTree, segmentsOf } from './route-tree.ts';

/** What tells a route. */
type RouteName = Pick<RouteWindow, 'method' | 'route' | 'byPattern'>;

export class SharedRoutes {
  readonly #tree = new RouteTree();

  /** All windows that are to be compared are learned before any of them is asked for. */
  learn(rows: readonly RouteName[]): void {
    for (const { route, byPattern } of rows) {
      if (byPattern !== true && route !== OTHER_ROUTE) this.#tree.learn(segmentsOf(route));
    }
  }

  /** `METHOD /route` of a learned row. */
  keyOf({ method, route, byPattern }: RouteName): string {
    if (byPattern === true || route === OTHER_ROUTE) return `${method} ${route}`;
    return `${method} ${this.#tree.routeOf(segmentsOf(route)) ?? OTHER_ROUTE}`;
  }

  /** Rows of any number of windows, summed by shared route. */
  merge(rows: readonly RouteWindow[]): Map<string, RouteWindow> {
    const merged = new Map<string, RouteWindow>();
    for (const row of rows) {
      const key = this.keyOf(row);
      const same = merged.get(key);
      merged.set(key, same === undefined ? row : mergeRows(same, row));
    }
    return merged;
  }
}
