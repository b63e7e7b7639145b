/** Routes as a user writes them: `/orders/{id}`, `/static/**`. They come before what is learned. */
import { ANY_REST } from './route-tree.ts';

/** Segments are words or `{name}`; `**` may stand at the end and holds any rest. */
export const ROUTE_PATTERN = '^/$|^(/([A-Za-z0-9_.~!$()+,:@=-]+|\\{[A-Za-z0-9_]+\\}))+(/\\*\\*)?$|^/\\*\\*$';

export interface RoutePattern {
  /** As it was written: the label. */
  readonly text: string;
  /** undefined: any one segment. */
  readonly segments: readonly (string | undefined)[];
  readonly open: boolean;
}

/** Throws a TypeError for what ROUTE_PATTERN refuses. */
export function parseRoutePattern(text: string): RoutePattern {
  if (!new RegExp(ROUTE_PATTERN).test(text)) {
    throw new TypeError(`"${text.slice(0, 64)}" is no route: write /words/{name}, and /** for any rest`);
  }
  const written = text.split('/').filter((segment) => segment !== '');
  const open = written.at(-1) === ANY_REST;
  const segments = (open ? written.slice(0, -1) : written).map((segment) =>
    segment.startsWith('{') ? undefined : segment,
  );
  return { text, segments, open };
}

export function patternMatches({ segments, open }: RoutePattern, path: readonly string[]): boolean {
  if (open ? path.length < segments.length : path.length !== segments.length) return false;
  return segments.every((segment, at) => segment === undefined || segment === path[at]);
}
