/**
 * Stacks that many windows have, each one object with a number: who counts thousands of windows keeps what is known of a stack under
 * its number, and looks at no frame twice.
 */
import type { StackCount } from './stack-counts.ts';

export interface SharedStack {
  /** Leaf first; stacks at other places share the array. */
  readonly frames: readonly string[];
  readonly places: readonly string[] | undefined;
  /** From 0, each once of a source. */
  readonly number: number;
}

/** Who numbered some stacks: compared, and never looked into. */
export type StackSource = WeakKey;

/** A window's stacks: plain ones, or those of a source. */
export type WindowStacks = readonly StackCount[] | SharedStacks;

export class SharedStacks implements Iterable<StackCount> {
  readonly source: StackSource;
  readonly stacks: readonly SharedStack[];
  /** Of each of the stacks: its own, side by side for those who read nothing else. */
  readonly numbers: Uint32Array;
  /** Of each of the stacks. */
  readonly counts: Uint32Array;

  constructor(source: StackSource, stacks: readonly SharedStack[], counts: Uint32Array) {
    this.source = source;
    this.stacks = stacks;
    this.numbers = numbersOf(stacks);
    this.counts = counts;
  }

  get length(): number {
    return this.stacks.length;
  }

  *[Symbol.iterator](): Generator<StackCount> {
    for (const [at, { frames, places }] of this.stacks.entries()) {
      const count = this.counts[at] ?? 0;
      yield places === undefined ? { frames, count } : { frames, places, count };
    }
  }
}

function numbersOf(stacks: readonly SharedStack[]): Uint32Array {
  const numbers = new Uint32Array(stacks.length);
  for (let nth = 0; nth < stacks.length; nth++) numbers[nth] = stacks[nth]?.number ?? 0;
  return numbers;
}
