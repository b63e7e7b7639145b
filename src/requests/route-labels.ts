/** The route of each request of one container: a user's pattern, else a learned one, else `other`. */
import { ID_SEGMENT, pathSegments, wordOrId } from './path-segments.ts';
import { parseRoutePattern, patternMatches, type RoutePattern } from './route-pattern.ts';
import { RouteTree, segmentsOf } from './route-tree.ts';
import { isRpcName } from './rpc.ts';

/** Requests of no path, and of paths that nothing was ever found at: what scanners ask for makes no route. */
export const OTHER_ROUTE = 'other';

export interface RouteLabel {
  readonly route: string;
  /** A user's pattern or a call's name: it stays as it is, however coarse the others become. */
  readonly byPattern: boolean;
}

const OTHER: RouteLabel = { route: OTHER_ROUTE, byPattern: false };
/** Paths without ids: a service has dozens. With ids each is new, and costs a parse of a microsecond. */
const MOST_KEPT = 1_000;
const LONGEST_KEPT = 256;
/** Names of calls are of code, not of things: a service has dozens. */
const MOST_RPCS = 256;

export class RouteLabels {
  readonly #patterns: readonly RoutePattern[];
  readonly #tree = new RouteTree();
  readonly #kept = new Map<string, RouteLabel>();
  readonly #rpcs = new Map<string, RouteLabel>();
  #version = 0;

  constructor(patterns: readonly string[] = []) {
    this.#patterns = patterns.map(parseRoutePattern);
  }

  /** Grows whenever a label that was given out before may now be another one. */
  get version(): number {
    return this.#tree.version;
  }

  /** `isFound`: whether the answer says that there is something at the path. */
  labelOf(target: string, isFound: boolean): RouteLabel {
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    const kept = this.#kept.get(path);
    if (kept !== undefined) return kept;
    const segments = pathSegments(path);
    if (segments === undefined) return OTHER;
    const words = segments.map(wordOrId);
    const label = this.#label(segments, words, isFound);
    if (this.#tree.version !== this.#version || this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#version = this.#tree.version;
    const comesAgain = path.length <= LONGEST_KEPT && label !== OTHER && !words.includes(ID_SEGMENT);
    if (comesAgain) this.#kept.set(path, label);
    return label;
  }

  /** Of a call of gRPC: its name, where `isFound` was said of it once. */
  rpcLabelOf(path: string, isFound: boolean): RouteLabel {
    const known = this.#rpcs.get(path);
    if (known !== undefined) return known;
    if (!isFound || !isRpcName(path) || this.#rpcs.size >= MOST_RPCS) return OTHER;
    const segments = segmentsOf(path);
    const pattern = this.#patterns.find((one) => patternMatches(one, segments));
    const label = { route: pattern?.text ?? path, byPattern: true };
    this.#rpcs.set(path, label);
    return label;
  }

  /** What a label given out before is by now. */
  asOfNow(label: RouteLabel): RouteLabel {
    if (label.byPattern || label === OTHER) return label;
    const route = this.#tree.routeOf(segmentsOf(label.route));
    return route === undefined ? OTHER : { route, byPattern: false };
  }

  #label(segments: readonly string[], words: readonly string[], isFound: boolean): RouteLabel {
    const pattern = this.#patterns.find((one) => patternMatches(one, segments));
    if (pattern !== undefined) return { route: pattern.text, byPattern: true };
    const route = this.#tree.routeOf(words) ?? (isFound ? this.#tree.learn(words) : undefined);
    return route === undefined ? OTHER : { route, byPattern: false };
  }
}
