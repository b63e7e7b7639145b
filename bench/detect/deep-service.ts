/** A service as profiles of JVMs look: stacks of 30 to 80 frames that share most of their callers, costs by Zipf, and ever new stacks. */
import type { PodWindow } from '../../src/detect/pod-window.ts';
import type { SharedStack, SharedStacks } from '../../src/profile/shared-stacks.ts';
import type { Chance } from './random.ts';

export interface DeepStack extends SharedStack {
  readonly places: readonly string[];
}

const THREADS = 8;
const CALLERS = { fewest: 26, more: 30 }; // of an event loop, a pipeline and a dispatcher, above the service's own code
const DEEPEST = 80;
// A recorded stack has 2.4 frames that no earlier one has at the same place (test/fixtures/recordings).
const MOST_CALLEES = 4;
// Of the frames below; the others are functions that are called from elsewhere too. The recorded pods have nine stacks for each
// function, and few functions are new once a service is warm.
const NEW_FUNCTION = { first: 0.25, later: 0.02 };

/** Grows stacks out of those there are: another end below the same callers, which is what a profiler meets. */
export class DeepService {
  readonly stacks: DeepStack[] = [];
  readonly #chance: Chance;
  readonly #names: string[] = [];
  #made = 0;

  constructor(stacks: number, chance: Chance) {
    this.#chance = chance;
    for (let thread = 0; thread < THREADS; thread++) this.stacks.push(this.#thread());
    while (this.stacks.length < stacks) this.stacks.push(this.#grown(NEW_FUNCTION.first));
  }

  /** A stack that nobody has seen. */
  grown(): DeepStack {
    return this.#grown(NEW_FUNCTION.later);
  }

  #grown(newPart: number): DeepStack {
    const from = this.stacks[this.#below(this.stacks.length)]?.frames ?? [];
    const kept = from.slice(Math.min(this.#below(6), Math.max(0, from.length - CALLERS.fewest - 4)));
    const callees = Math.max(1, Math.min(1 + this.#below(MOST_CALLEES), DEEPEST - kept.length));
    return this.#placed([...Array.from({ length: callees }, () => this.#callee(newPart)), ...kept]);
  }

  #thread(): DeepStack {
    const callers = CALLERS.fewest + this.#below(CALLERS.more);
    return this.#placed(Array.from({ length: callers + 8 }, () => this.#newFunction()));
  }

  #callee(newPart: number): string {
    const some = this.#chance.even() < newPart ? undefined : this.#names[this.#below(this.#names.length)];
    return some ?? this.#newFunction();
  }

  #newFunction(): string {
    const number = this.#names.length;
    const name = `com.example.orders.part${number % 37}.Component${number % 1_009}$Worker.operation${number}`;
    this.#names.push(name);
    return name;
  }

  #placed(frames: readonly string[]): DeepStack {
    const places = frames.map((_, depth) => `Component.kt:${(depth * 7) % 400}`);
    return { frames, places, number: this.#made++ };
  }

  #below(limit: number): number {
    return Math.floor(this.#chance.even() * limit);
  }
}

/** Share of the stack that is the `rank`th commonest of so many. */
export const zipf = (rank: number): number => 1 / (rank + 3);

/** A pod's window number `at`, of these stacks. */
export function deepWindow(pod: string, at: number, stacks: SharedStacks): PodWindow {
  const samples = stacks.counts.reduce((sum, count) => sum + count, 0);
  return {
    ...{ pod, startMs: at * WINDOW_MS, endMs: (at + 1) * WINDOW_MS, podStartedAtMs: -7_200_000 },
    ...{ samplesTaken: samples, samplesLost: 0, hz: 199, cpuUsec: 5_000_000, throttledUsec: 0 },
    ...{ flags: '', stacks },
  };
}

export const WINDOW_MS = 10_000;
