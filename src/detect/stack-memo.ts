/** A whole number that is worked out once of each stack of a source: a thousand windows have the same few thousand stacks. */
import type { SharedStack, SharedStacks, StackSource } from '../profile/shared-stacks.ts';

const LEAST_ROOM = 1_024;

interface Known {
  /** By the stack's number: what was worked out, plus one. */
  values: Int32Array;
}

export class StackMemo {
  // Weak: a store forgets its stacks now and then, and numbers those it meets from then on anew.
  readonly #known = new WeakMap<StackSource, Known>();
  readonly #work: (stack: SharedStack) => number;

  /** `work`: gives 0 or more. */
  constructor(work: (stack: SharedStack) => number) {
    this.#work = work;
  }

  /** Writes the values of a window's stacks into an array, the first one `at` this place. */
  write(shared: SharedStacks, into: Int32Array, at: number): void {
    const known = this.#knownOf(shared.source);
    const { numbers } = shared;
    for (let nth = 0; nth < numbers.length; nth++) {
      const value = known.values[numbers[nth] ?? 0] ?? 0;
      into[at + nth] = (value > 0 ? value : this.#workOut(shared.stacks[nth], known)) - 1;
    }
  }

  /** Samples of a window's stacks, each times its value. */
  sum(shared: SharedStacks): number {
    const known = this.#knownOf(shared.source);
    const { numbers, counts } = shared;
    let sum = 0;
    for (let nth = 0; nth < numbers.length; nth++) {
      const value = known.values[numbers[nth] ?? 0] ?? 0;
      sum += ((value > 0 ? value : this.#workOut(shared.stacks[nth], known)) - 1) * (counts[nth] ?? 0);
    }
    return sum;
  }

  #knownOf(source: StackSource): Known {
    const known = this.#known.get(source) ?? { values: new Int32Array(LEAST_ROOM) };
    this.#known.set(source, known);
    return known;
  }

  /** Plus one. */
  #workOut(stack: SharedStack | undefined, known: Known): number {
    if (stack === undefined) throw new Error('a number without a stack');
    const value = this.#work(stack) + 1;
    if (stack.number >= known.values.length) {
      const larger = new Int32Array(2 * Math.max(stack.number, known.values.length));
      larger.set(known.values);
      known.values = larger;
    }
    known.values[stack.number] = value;
    return value;
  }
}
