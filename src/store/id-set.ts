/** A set of ids that mostly lie together, as those of a table's rows do: a bit for each, in pages of those parts where there are any. */

const PAGE_BITS = 16;
const WORDS = 1 << (PAGE_BITS - 5);

export class IdSet {
  readonly #pages = new Map<number, Uint32Array>();

  /** `id`: below 2^32. */
  add(id: number): void {
    const number = id >>> PAGE_BITS;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint32Array(WORDS);
      this.#pages.set(number, page);
    }
    const word = (id >>> 5) & (WORDS - 1);
    page[word] = (page[word] ?? 0) | (1 << (id & 31));
  }

  has(id: number): boolean {
    const word = this.#pages.get(id >>> PAGE_BITS)?.[(id >>> 5) & (WORDS - 1)] ?? 0;
    return (word & (1 << (id & 31))) !== 0;
  }
}
