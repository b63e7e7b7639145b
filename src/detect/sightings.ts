/**
 * Where in their source the functions of an arm were seen. For the reader of a report only: a function is one function
 * whatever its lines are, for they move with every edit above it.
 */
import { NOWHERE } from '../profile/place.ts';
import type { PodWindow } from './pod-window.ts';
import { functionOf, type IndexedStack, type StackIndex } from './stack-index.ts';

export interface Sightings {
  add(windows: readonly PodWindow[], index: StackIndex): void;
  /** Where the function of a node stood most often, in the stacks that count for it; NOWHERE when it was not seen. */
  placeOf(node: number, index: StackIndex): string;
  /** The stack's places that were seen most often; undefined when none were. */
  placesOf(stack: IndexedStack): readonly string[] | undefined;
}

interface Sighting {
  readonly stack: IndexedStack;
  count: number;
}

// Some 500 bytes each. What fills them is a long tail: in ten minutes of three pods, nine in ten are seen once or twice.
const MAX_SIGHTINGS = 8_000;

export function createSightings(limit = MAX_SIGHTINGS): Sightings {
  const seen = new Map<readonly string[], Sighting>(); // by the array itself: windows share it
  const addOne = (places: readonly string[], stack: IndexedStack, count: number): void => {
    const known = seen.get(places);
    if (known !== undefined) {
      known.count += count;
      return;
    }
    if (seen.size >= limit) dropRarest(seen, limit / 2);
    seen.set(places, { stack, count });
  };
  return {
    add(windows, index) {
      for (const { stacks } of windows) {
        for (const { frames, places, count } of stacks) {
          if (places !== undefined) addOne(places, index.of(frames), count);
        }
      }
    },
    placeOf(node, index) {
      const name = index.functions[functionOf(node)] ?? '';
      const counts = new Map<string, number>();
      for (const [places, { stack, count }] of seen) {
        if (!stack.nodes.includes(node)) continue;
        const place = places[stack.identities.indexOf(name)] ?? NOWHERE;
        counts.set(place, (counts.get(place) ?? 0) + count);
      }
      counts.delete(NOWHERE);
      return commonest(counts) ?? NOWHERE;
    },
    placesOf(stack) {
      const counts = new Map<readonly string[], number>();
      for (const [places, sighting] of seen) if (sighting.stack === stack) counts.set(places, sighting.count);
      return commonest(counts);
    },
  };
}

/** The seldom seen go, in order of their counts, until at most `kept` are left. */
function dropRarest(seen: Map<readonly string[], Sighting>, kept: number): void {
  const ascending = [...seen].sort(([, a], [, b]) => a.count - b.count);
  for (const [places] of ascending.slice(0, ascending.length - kept)) seen.delete(places);
}

function commonest<T>(counts: ReadonlyMap<T, number>): T | undefined {
  let found: T | undefined;
  let most = 0;
  for (const [value, count] of counts) {
    if (count <= most) continue;
    found = value;
    most = count;
  }
  return found;
}
