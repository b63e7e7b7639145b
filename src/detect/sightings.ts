/**
 * Where in their source the functions of an arm were seen. For the reader of a report only: a function is one function
 * whatever its lines are, for they move with every edit above it.
 */
import { NOWHERE } from '../profile/place.ts';
import type { PodWindow } from './pod-window.ts';
import { functionOf, type IndexedStack, type StackIndex } from './stack-index.ts';

export interface Sightings {
  /** `numbers`: of the windows' stacks, where they are known already. */
  add(windows: readonly PodWindow[], index: StackIndex, numbers?: Int32Array): void;
  /** Where the function of a node stood most often, in the stacks that count for it; NOWHERE when it was not seen. */
  placeOf(node: number, index: StackIndex): string;
  /** The stack's places that were seen most often; undefined when none were. */
  placesOf(stack: IndexedStack): readonly string[] | undefined;
}

interface Sighting {
  readonly places: readonly string[];
  readonly stack: IndexedStack;
  count: number;
}

// Some 500 bytes each. What fills them is a long tail: in ten minutes of three pods, nine in ten are seen once or twice.
const MAX_SIGHTINGS = 8_000;

export function createSightings(limit = MAX_SIGHTINGS): Sightings {
  const seen = new Map<readonly string[], Sighting>(); // by the array itself: windows share it
  const lastOfStack: (Sighting | undefined)[] = []; // most often a stack stands where it stood before
  const sightingOf = (places: readonly string[], stack: IndexedStack): Sighting => {
    const known = seen.get(places);
    if (known !== undefined) return known;
    if (seen.size >= limit) {
      dropRarest(seen, limit / 2);
      lastOfStack.length = 0;
    }
    const sighting = { places, stack, count: 0 };
    seen.set(places, sighting);
    return sighting;
  };
  return {
    add(windows, index, numbers) {
      let at = 0;
      for (const { stacks } of windows) {
        for (const { frames, places, count } of stacks) {
          const number = numbers?.[at++];
          if (places === undefined) continue;
          const id = number ?? index.idOf(frames);
          const last = lastOfStack[id];
          const stack = index.stacks[id];
          if (last?.places === places) last.count += count;
          else if (stack !== undefined) {
            const sighting = sightingOf(places, stack);
            sighting.count += count;
            lastOfStack[id] = sighting;
          }
        }
      }
    },
    placeOf(node, index) {
      const name = index.functions[functionOf(node)] ?? '';
      const counts = new Map<string, number>();
      const through = new Set(index.through(node));
      for (const [places, { stack, count }] of seen) {
        if (!through.has(stack)) continue;
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
