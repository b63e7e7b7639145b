/**
 * The stacks of a history, each once and as a path of one tree: an hour of a dozen pods has tens of thousands, of sixty frames each,
 * most of them met once or twice. A store that reads the hour pod by pod forgets meanwhile which it had made, and makes others.
 */
import { type SharedStack, SharedStacks, type WindowStacks } from '../profile/shared-stacks.ts';
import { CallTree, enlarged, ROOT } from './call-tree.ts';
import { StackMemo } from './stack-memo.ts';

const LEAST_ROOM = 1_024;

export class HistoryStacks {
  readonly #tree = new CallTree();
  readonly #names: string[] = [];
  readonly #nameIds = new Map<string, number>();
  readonly #stacks: PathOfHistory[] = [];
  /** By place: the stack that ends there, plus one. */
  #stackAt = new Int32Array(LEAST_ROOM);
  readonly #met = new StackMemo(({ frames }) => this.#find(frames));

  /** What these have together, in order of first sight. Places are left out: no verdict looks at them. */
  merged(windows: readonly { readonly stacks: WindowStacks }[]): SharedStacks {
    const counts = new Map<number, number>();
    const add = (number: number, count: number): void =>
      void counts.set(number, (counts.get(number) ?? 0) + count);
    for (const { stacks } of windows) {
      if (stacks instanceof SharedStacks) {
        const numbers = new Int32Array(stacks.length);
        this.#met.write(stacks, numbers, 0);
        for (const [nth, number] of numbers.entries()) add(number, stacks.counts[nth] ?? 0);
      } else {
        for (const { frames, count } of stacks) add(this.#find(frames), count);
      }
    }
    const stacks = Array.from(counts.keys(), (number) => this.#stacks[number]).filter(
      (stack) => stack !== undefined,
    );
    return new SharedStacks(this, stacks, Uint32Array.from(counts.values()));
  }

  /** Leaf first, of the path that ends at a place. */
  framesTo(end: number): readonly string[] {
    const { parents, names } = this.#tree;
    const frames: string[] = [];
    for (let place = end; place !== ROOT; place = parents[place] ?? ROOT) {
      frames.push(this.#names[names[place] ?? -1] ?? '');
    }
    return frames;
  }

  #find(frames: readonly string[]): number {
    let place = ROOT;
    for (let depth = frames.length - 1; depth >= 0; depth--) {
      place = this.#tree.below(place, this.#nameId(frames[depth] ?? ''));
    }
    while (place >= this.#stackAt.length) this.#stackAt = enlarged(this.#stackAt);
    const known = this.#stackAt[place] ?? 0;
    if (known > 0) return known - 1;
    const number = this.#stacks.length;
    this.#stackAt[place] = number + 1;
    this.#stacks.push(new PathOfHistory(number, place, this));
    return number;
  }

  #nameId(name: string): number {
    const known = this.#nameIds.get(name);
    if (known !== undefined) return known;
    const id = this.#names.push(name) - 1;
    this.#nameIds.set(name, id);
    return id;
  }
}

class PathOfHistory implements SharedStack {
  readonly number: number;
  readonly end: number;
  readonly history: HistoryStacks;

  constructor(number: number, end: number, history: HistoryStacks) {
    this.number = number;
    this.end = end;
    this.history = history;
  }

  /** Made anew each time: whoever judges keeps what it knows of a stack by its number. */
  get frames(): readonly string[] {
    return this.history.framesTo(this.end);
  }

  get places(): undefined {
    return undefined;
  }
}
