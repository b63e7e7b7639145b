/**
 * Ids of stacks that were asked for lately, found by their frames: a batch has a thousand stacks, nearly all known, and a digest of
 * each would be half of what storing it costs. Of two generations the older one goes when the younger is full, as in recent-cache.ts.
 */
import { secretHash } from './stack-hash.ts';

const FIRST_WORDS = 1 << 14;
const HEADER = 2; // id and number of words, before the words
const FEWEST_SLOTS = 1 << 10;

export class RecentStackIds {
  readonly #mostWords: number;
  #young: Generation;
  #old: Generation;

  /** `mostWords`: of both generations together, 4 bytes each. */
  constructor(mostWords: number) {
    this.#mostWords = mostWords / 2;
    this.#young = new Generation();
    this.#old = new Generation();
  }

  /** The first `size` of `words`: whatever makes a stack this one and no other, a word an entry. */
  get(words: Uint32Array, size: number, make: () => number): number {
    const known = this.#young.find(words, size);
    if (known !== undefined) return known;
    const id = this.#old.find(words, size) ?? make();
    if (this.#young.words + size + HEADER > this.#mostWords) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(words, size, id);
    return id;
  }

  clear(): void {
    this.#young = new Generation();
    this.#old = new Generation();
  }
}

/** Entries one after the other in an arena, and an open-addressed table of where they begin. */
class Generation {
  readonly #hash = secretHash();
  #arena = new Uint32Array(FIRST_WORDS);
  #slots = new Uint32Array(FEWEST_SLOTS); // 0: empty; else where an entry begins, and 1
  #entries = 0;
  words = 0;

  find(words: Uint32Array, size: number): number | undefined {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(words, 0, size) & mask; ; slot = (slot + 1) & mask) {
      const at = this.#slots[slot] ?? 0;
      if (at === 0) return undefined;
      if (this.#isAt(at - 1, words, size)) return this.#arena[at - 1];
    }
  }

  /** The words are not in it yet. */
  add(words: Uint32Array, size: number, id: number): void {
    this.#makeRoom(size + HEADER);
    const begin = this.words;
    this.#arena[begin] = id;
    this.#arena[begin + 1] = size;
    for (let index = 0; index < size; index++) this.#arena[begin + HEADER + index] = words[index] ?? 0;
    this.words += size + HEADER;
    this.#entries += 1;
    this.#place(begin);
  }

  #isAt(begin: number, words: Uint32Array, size: number): boolean {
    const arena = this.#arena;
    if (arena[begin + 1] !== size) return false;
    for (let index = 0; index < size; index++) {
      if (arena[begin + HEADER + index] !== words[index]) return false;
    }
    return true;
  }

  #place(begin: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#arena, begin + HEADER, this.#arena[begin + 1] ?? 0) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = begin + 1;
  }

  #makeRoom(more: number): void {
    if (this.words + more > this.#arena.length) {
      const larger = new Uint32Array(Math.max(2 * this.#arena.length, this.words + more));
      larger.set(this.#arena);
      this.#arena = larger;
    }
    if (2 * (this.#entries + 1) <= this.#slots.length) return;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let begin = 0; begin < this.words; begin += HEADER + (this.#arena[begin + 1] ?? 0))
      this.#place(begin);
  }
}
