/** A store with an hour of fifty pods, as their agents push it. */

import { aBatch, aPodWindow, EPOCH_MS } from '../../src/store/testing/a-batch.ts';
import { openStore } from '../../src/store/window-store.ts';
import { DeepService, type DeepStack, WINDOW_MS, zipf } from './deep-service.ts';
import { chanceOf } from './random.ts';

const refs = (arm: string) =>
  Array.from({ length: 25 }, (_, pod) => ({ podUid: `${arm}-${pod}`, container: 'app' }));

export const HOUR = {
  windows: 360,
  pods: { baseline: refs('baseline'), canary: refs('canary') },
};
export const STARTED_AT_MS = EPOCH_MS;

const STACKS = 5_000;
const SAMPLES = 1_000; // of half a core at 199 Hz
// Of twenty minutes of recorded pods an eighth of a window's stacks were still new in the last one, of 60 each.
const FRESH = 8;
const STRAYS = 0.1; // of a pod's cost of a stack

interface PodStack {
  readonly stack: DeepStack;
  readonly cost: number;
}

export function fillStore(path: string): void {
  const store = openStore(path, { now: () => STARTED_AT_MS });
  const chance = chanceOf(2, 2);
  const service = new DeepService(STACKS, chance);
  const costs = service.stacks.map((_, rank) => zipf(rank));
  const whole = costs.reduce((sum, cost) => sum + cost, 0);
  const pods = [...HOUR.pods.baseline, ...HOUR.pods.canary].map(({ podUid }) => ({
    podUid,
    stacks: service.stacks
      .map(
        (stack, rank): PodStack => ({
          stack,
          cost: ((costs[rank] ?? 0) / whole) * Math.exp(STRAYS * chance.normal()),
        }),
      )
      .filter(() => chance.even() < 0.8),
  }));
  for (let at = 0; at < HOUR.windows; at++) {
    const batch = new BatchStacks();
    const windows = pods.map(({ podUid, stacks }) => {
      const counts: [number, number][] = [];
      for (const { stack, cost } of stacks) {
        const count = chance.poisson(SAMPLES * cost);
        if (count > 0) counts.push([batch.stack(stack), count]);
      }
      for (let fresh = 0; fresh < FRESH; fresh++) counts.push([batch.stack(service.grown()), 1]);
      const samples = counts.reduce((sum, [, count]) => sum + count, 0);
      return aPodWindow({ podUid, hz: 199, samples, counts, startedAtMs: EPOCH_MS - 7_200_000 });
    });
    store.addBatch(
      aBatch({
        sequence: at,
        startMs: EPOCH_MS + at * WINDOW_MS,
        endMs: EPOCH_MS + (at + 1) * WINDOW_MS,
        ...batch.parts,
        pods: windows,
      }),
    );
  }
  store.close();
}

/** Names and stacks of one batch, each once. */
class BatchStacks {
  readonly parts = { strings: [] as string[], stacks: [] as number[][], places: [] as number[][] };
  readonly #strings = new Map<string, number>();
  readonly #stacks = new Map<DeepStack, number>();

  stack(stack: DeepStack): number {
    const known = this.#stacks.get(stack);
    if (known !== undefined) return known;
    const { stacks, places } = this.parts;
    stacks.push(stack.frames.map((name) => this.#string(name)));
    places.push(stack.places.map((place) => this.#string(place) + 1));
    this.#stacks.set(stack, stacks.length - 1);
    return stacks.length - 1;
  }

  #string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, this.parts.strings.length);
    return this.parts.strings.push(text) - 1;
  }
}
