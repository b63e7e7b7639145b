/**
 * Where in their source the functions of an arm were seen. For the reader of a report only: a function is one function
 * whatever its lines are, for they move with every edit above it.
 */
import { NOWHERE } from '../profile/place.ts';
import { type SharedStack, SharedStacks, type StackSource } from '../profile/shared-stacks.ts';
import type { PodWindow } from './pod-window.ts';
import { functionOf, type IndexedStack, type StackIndex } from './stack-index.ts';

export interface Sightings {
  /** `numbers`: of the windows' stacks, one window after the other. */
  add(windows: readonly PodWindow[], index: StackIndex, numbers: Int32Array): void;
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
  const see = (places: readonly string[] | undefined, id: number, count: number, index: StackIndex): void => {
    if (places === undefined) return;
    const last = lastOfStack[id];
    const stack = index.stacks[id];
    if (last?.places === places) last.count += count;
    else if (stack !== undefined) {
      const sighting = sightingOf(places, stack);
      sighting.count += count;
      lastOfStack[id] = sighting;
    }
  };
  const shared = new SharedCounts();
  return {
    add(windows, index, numbers) {
      const seeHere: See = (places, id, count) => see(places, id, count, index);
      let at = 0;
      for (const { stacks } of windows) {
        const ofWindow = numbers.subarray(at, at + stacks.length);
        if (stacks instanceof SharedStacks) shared.add(stacks, ofWindow, seeHere);
        else
          for (const [nth, { places, count }] of stacks.entries()) seeHere(places, ofWindow[nth] ?? 0, count);
        at += stacks.length;
      }
      shared.giveTo(seeHere);
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

type See = (places: readonly string[] | undefined, id: number, count: number) => void;

/** Samples of stacks that the windows of a block share: each stack is looked at once a block, not once a window. */
class SharedCounts {
  #source: StackSource | undefined;
  /** By the number its source gave a stack. */
  #counts = new Int32Array(0);
  readonly #met: SharedStack[] = [];
  /** Of each of them, its number in the index. */
  readonly #ids: number[] = [];

  add({ source, stacks, numbers, counts }: SharedStacks, ids: Int32Array, see: See): void {
    if (source !== this.#source) this.giveTo(see);
    this.#source = source;
    for (let nth = 0; nth < numbers.length; nth++) {
      const number = numbers[nth] ?? 0;
      if (number >= this.#counts.length) this.#makeRoom(number);
      const before = this.#counts[number] ?? 0;
      const stack = stacks[nth];
      if (before === 0 && stack !== undefined) {
        this.#met.push(stack);
        this.#ids.push(ids[nth] ?? 0);
      }
      this.#counts[number] = before + (counts[nth] ?? 0);
    }
  }

  giveTo(see: See): void {
    for (const [nth, { places, number }] of this.#met.entries()) {
      see(places, this.#ids[nth] ?? 0, this.#counts[number] ?? 0);
      this.#counts[number] = 0;
    }
    this.#met.length = 0;
    this.#ids.length = 0;
  }

  #makeRoom(number: number): void {
    const larger = new Int32Array(2 * (number + LEAST_ROOM));
    larger.set(this.#counts);
    this.#counts = larger;
  }
}

const LEAST_ROOM = 512;

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
