/**
 * Routes of low cardinality, and how those of several pods become the same. A route is a list of segments: a word, `{}`
 * (an id by its shape), `*` (one of too many words at this place) and, at the end, `**` (anything deeper).
 *
 * Folding: where a place has had more than MOST_WORDS words, or a `*`, all that was there becomes one `*`; where there
 * are more than MOST_ROUTES routes, or a `**` at some depth, all routes end at that depth. Every step only makes routes
 * coarser, and what is folded once stays so. So it does not matter which pod saw which paths in which order: the union
 * of what pods folded, folded again, is coarse enough for each of them (the property tests say so).
 */

export const ANY_WORD = '*';
export const ANY_REST = '**';
/** With more words at one place they are names of things, not of code. */
export const MOST_WORDS = 20;
export const MOST_ROUTES = 100;
export const DEEPEST = 8;

interface Place {
  readonly children: Map<string, Place>;
  /** Whether a route ends here. */
  ends: boolean;
  folded: boolean;
}

const newPlace = (): Place => ({ children: new Map(), ends: false, folded: false });

export class RouteTree {
  readonly #root = newPlace();
  #depth = DEEPEST;
  #routes = 0;
  #version = 0;

  /** Grows whenever a route that was given out before may now be another one. */
  get version(): number {
    return this.#version;
  }

  /** The route of a path, which it becomes part of. */
  learn(segments: readonly string[]): string {
    this.#add(segments);
    if (this.#routes > MOST_ROUTES) this.#foldDepth();
    return this.routeOf(segments) ?? '/';
  }

  /** The route of a path as far as it is known; undefined: no path like it was learned. */
  routeOf(segments: readonly string[]): string | undefined {
    let place: Place = this.#root;
    let route = '';
    for (const [at, segment] of segments.entries()) {
      if (segment === ANY_REST || at === this.#depth) {
        return place.children.has(ANY_REST) ? `${route}/${ANY_REST}` : undefined;
      }
      const name = place.folded ? ANY_WORD : segment;
      const next = place.children.get(name);
      if (next === undefined) return undefined;
      route += `/${name}`;
      place = next;
    }
    if (!place.ends) return undefined;
    return route === '' ? '/' : route;
  }

  routes(): string[] {
    const found: string[] = [];
    const walk = (place: Place, route: string): void => {
      if (place.ends) found.push(route === '' ? '/' : route);
      for (const [name, child] of place.children) walk(child, `${route}/${name}`);
    };
    walk(this.#root, '');
    return found.sort();
  }

  #add(segments: readonly string[]): void {
    const rest = segments.indexOf(ANY_REST);
    if (rest >= 0 && rest < this.#depth) this.#cutAt(rest);
    let place: Place = this.#root;
    for (const [at, segment] of segments.entries()) {
      if (at === this.#depth) {
        this.#end(childOf(place, ANY_REST));
        return;
      }
      if (segment === ANY_WORD) this.#fold(place);
      place = childOf(place, place.folded ? ANY_WORD : segment);
    }
    this.#end(place);
    this.#foldFull(segments);
  }

  #end(place: Place): void {
    if (!place.ends) this.#routes += 1;
    place.ends = true;
  }

  /** Only places along the path can have become too full; a fold merges what is below, which may then be too full. */
  #foldFull(segments: readonly string[]): void {
    let place: Place | undefined = this.#root;
    for (const segment of segments) {
      if (place === undefined) return;
      if (isTooFull(place)) this.#fold(place);
      place = place.children.get(place.folded ? ANY_WORD : segment);
    }
  }

  #fold(place: Place): void {
    if (place.folded) return;
    const one = newPlace();
    for (const [name, child] of place.children) if (name !== ANY_REST) merge(child, one);
    const rest = place.children.get(ANY_REST);
    place.children.clear();
    place.children.set(ANY_WORD, one);
    if (rest !== undefined) place.children.set(ANY_REST, rest);
    place.folded = true;
    this.#foldBelow(one);
    this.#changed();
  }

  #foldBelow(place: Place): void {
    if (isTooFull(place) || (place.children.has(ANY_WORD) && !place.folded)) this.#fold(place);
    else for (const child of place.children.values()) this.#foldBelow(child);
  }

  #foldDepth(): void {
    while (this.#routes > MOST_ROUTES && this.#depth > 1) this.#cutAt(this.#depth - 1);
  }

  #cutAt(depth: number): void {
    const cut = (place: Place, at: number): void => {
      if (at < depth) {
        for (const child of place.children.values()) cut(child, at + 1);
      } else if (place.children.size > 0) {
        place.children.clear();
        place.folded = false;
        const rest = newPlace();
        rest.ends = true;
        place.children.set(ANY_REST, rest);
      }
    };
    this.#depth = depth;
    cut(this.#root, 0);
    this.#changed();
  }

  #changed(): void {
    this.#routes = this.routes().length;
    this.#version += 1;
  }
}

function childOf(place: Place, name: string): Place {
  const known = place.children.get(name);
  if (known !== undefined) return known;
  const made = newPlace();
  place.children.set(name, made);
  return made;
}

function isTooFull({ children, folded }: Place): boolean {
  if (folded || children.size <= MOST_WORDS) return false;
  let words = 0;
  for (const name of children.keys()) if (name !== '{}' && name !== ANY_REST) words += 1;
  return words > MOST_WORDS;
}

/** Adds everything below one place to another. */
function merge(from: Place, into: Place): void {
  into.ends ||= from.ends;
  for (const [name, child] of from.children) merge(child, childOf(into, name));
}

export const segmentsOf = (route: string): string[] => route.split('/').filter((segment) => segment !== '');
