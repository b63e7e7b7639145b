/**
 * What was asked for lately, up to a weight: of two generations the older one goes when the younger is full, and what is asked
 * for again becomes young. So the long tail that is met once leaves, and what every window has stays.
 */
export class RecentCache<K, V> {
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #youngWeight = 0;
  readonly #limit: number;
  readonly #weightOf: (value: V) => number;

  constructor(limit: number, weightOf: (value: V) => number = () => 1) {
    this.#limit = limit;
    this.#weightOf = weightOf;
  }

  peek(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  get(key: K, make: () => V): V {
    const known = this.peek(key);
    if (known !== undefined) return known;
    const made = make();
    this.#keep(key, made);
    return made;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngWeight = 0;
  }

  #keep(key: K, value: V): void {
    const weight = this.#weightOf(value);
    if (2 * (this.#youngWeight + weight) > this.#limit && this.#young.size > 0) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, value);
    this.#youngWeight += weight;
  }
}
