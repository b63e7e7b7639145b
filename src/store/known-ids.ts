/**
 * Ids of what the database has, sixteen bytes for each. An index of stacks on disk would have a page to be written for every new one, to
 * compare each with its row was half of what storing a batch cost, and a map of names keeps every name. So each is known by a digest that
 * only this process could make (secret-digest.ts). Of two generations the older one goes when the younger is full, as in recent-cache.ts.
 */
import { DIGEST_WORDS, secretDigest } from './secret-digest.ts';

const FEWEST_SLOTS = 1 << 10;
const SLOT = DIGEST_WORDS + 1; // a digest, and an id; an id of 0 is an empty slot

export class KnownIds {
  readonly #digestOf = secretDigest();
  readonly #digest = new Uint32Array(DIGEST_WORDS);
  readonly #most: number;
  #young = new Generation();
  #old = new Generation();

  /** `most`: of both generations together, 32 bytes each in tables that are half full. */
  constructor(most: number) {
    this.#most = most / 2;
  }

  /** Of what the first `size` words say; `make` is asked for the id of what is not known. */
  get(words: Uint32Array, size: number, make: () => number): number {
    const digest = this.#digest;
    this.#digestOf(words, size, digest);
    const young = this.#young.find(digest);
    if (young !== 0) return young;
    const id = this.#old.find(digest) || make();
    if (this.#young.entries >= this.#most) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(digest, 0, id);
    return id;
  }

  /** The database has them no longer. */
  drop(isGone: (id: number) => boolean): void {
    this.#young = this.#young.without(isGone);
    this.#old = this.#old.without(isGone);
  }
}

/** An open-addressed table. */
class Generation {
  entries = 0;
  #slots = new Uint32Array(SLOT * FEWEST_SLOTS);

  /** Its id, or 0. */
  find(digest: Uint32Array): number {
    const slots = this.#slots;
    const first = digest[0] ?? 0;
    const mask = slots.length / SLOT - 1;
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const at = SLOT * slot;
      const id = slots[at + DIGEST_WORDS] ?? 0;
      if (id === 0) return 0;
      if (slots[at] === first && slots[at + 1] === digest[1] && slots[at + 2] === digest[2]) return id;
    }
  }

  /** The digest is at `from` of an array, and not in here yet. */
  add(digest: Uint32Array, from: number, id: number): void {
    if (2 * SLOT * (this.entries + 1) > this.#slots.length) this.#grow();
    const mask = this.#slots.length / SLOT - 1;
    let slot = (digest[from] ?? 0) & mask;
    while (this.#slots[SLOT * slot + DIGEST_WORDS] !== 0) slot = (slot + 1) & mask;
    for (let word = 0; word < DIGEST_WORDS; word++)
      this.#slots[SLOT * slot + word] = digest[from + word] ?? 0;
    this.#slots[SLOT * slot + DIGEST_WORDS] = id;
    this.entries += 1;
  }

  without(isGone: (id: number) => boolean): Generation {
    const left = new Generation();
    for (let at = 0; at < this.#slots.length; at += SLOT) {
      const id = this.#slots[at + DIGEST_WORDS] ?? 0;
      if (id !== 0 && !isGone(id)) left.add(this.#slots, at, id);
    }
    return left;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(2 * before.length);
    this.entries = 0;
    for (let at = 0; at < before.length; at += SLOT) {
      const id = before[at + DIGEST_WORDS] ?? 0;
      if (id !== 0) this.add(before, at, id);
    }
  }
}
