/**
 * Which stacks the database has, eight bytes for each: an index of their hashes on disk would have a page to be written for every new
 * stack, wherever in it that falls. A hash only leads to a stack, whoever asks compares it. Of two generations the older one goes when the
 * younger is full, as in recent-cache.ts; a stack that is forgotten is stored once more.
 */
import { secretHash } from './stack-hash.ts';

const FEWEST_SLOTS = 1 << 10;

export class KnownStacks {
  readonly #hash = secretHash();
  readonly #mostStacks: number;
  #young = new Generation();
  #old = new Generation();

  /** `mostStacks`: of both generations together, 16 bytes each in tables that are half full. */
  constructor(mostStacks: number) {
    this.#mostStacks = mostStacks / 2;
  }

  /** The id of the stack of the first `size` words, if `is` says so of one that has their hash. */
  find(words: Uint32Array, size: number, is: (id: number) => boolean): number | undefined {
    const hash = this.#hash(words, 0, size);
    const young = this.#young.find(hash, is);
    if (young !== undefined) return young;
    const old = this.#old.find(hash, is);
    if (old !== undefined) this.#keep(hash, old);
    return old;
  }

  /** It was not found. */
  add(words: Uint32Array, size: number, id: number): void {
    this.#keep(this.#hash(words, 0, size), id);
  }

  #keep(hash: number, id: number): void {
    if (this.#young.entries >= this.#mostStacks) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(hash, id);
  }
}

/** An open-addressed table of pairs of a hash and an id; an id of 0 is an empty slot. */
class Generation {
  entries = 0;
  #pairs = new Uint32Array(2 * FEWEST_SLOTS);

  find(hash: number, is: (id: number) => boolean): number | undefined {
    const mask = this.#pairs.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#pairs[2 * slot + 1] ?? 0;
      if (id === 0) return undefined;
      if (this.#pairs[2 * slot] === hash && is(id)) return id;
    }
  }

  add(hash: number, id: number): void {
    if (4 * (this.entries + 1) > this.#pairs.length) this.#grow();
    this.#place(hash, id);
    this.entries += 1;
  }

  #grow(): void {
    const before = this.#pairs;
    this.#pairs = new Uint32Array(2 * before.length);
    for (let at = 0; at < before.length; at += 2) {
      const id = before[at + 1] ?? 0;
      if (id !== 0) this.#place(before[at] ?? 0, id);
    }
  }

  #place(hash: number, id: number): void {
    const mask = this.#pairs.length / 2 - 1;
    let slot = hash & mask;
    while (this.#pairs[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    this.#pairs[2 * slot] = hash;
    this.#pairs[2 * slot + 1] = id;
  }
}
