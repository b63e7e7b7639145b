/** Many names in one growing piece of memory: a JVM has twenty thousand, and as strings they would cost three times as much. */

export interface NameStore {
  /** Where the name can be read again, or undefined when the store is full. */
  add(bytes: Uint8Array, start: number, end: number): number | undefined;
  /** The bytes of a name; a view, not a copy. */
  at(position: number): Uint8Array;
  /** Gives back what was allocated ahead. */
  trim(): void;
}

const LENGTH_BYTES = 2;
const MAX_NAME_BYTES = 1024;
const FIRST_BYTES = 64 * 1024;

/** Names longer than 1024 bytes are cut. */
export function createNameStore(maxBytes: number): NameStore {
  let store = new Uint8Array(Math.min(FIRST_BYTES, maxBytes));
  let used = 0;
  const grow = (needed: number) => {
    const larger = new Uint8Array(Math.min(maxBytes, Math.max(needed, store.length * 2)));
    larger.set(store.subarray(0, used));
    store = larger;
  };
  return {
    add(bytes, start, end) {
      const length = Math.min(end - start, MAX_NAME_BYTES);
      const needed = used + LENGTH_BYTES + length;
      if (needed > maxBytes) return undefined;
      if (needed > store.length) grow(needed);
      const position = used;
      store[position] = length & 0xff;
      store[position + 1] = length >> 8;
      store.set(bytes.subarray(start, start + length), position + LENGTH_BYTES);
      used = needed;
      return position;
    },
    at(position) {
      const length = (store[position] ?? 0) | ((store[position + 1] ?? 0) << 8);
      return store.subarray(position + LENGTH_BYTES, position + LENGTH_BYTES + length);
    },
    trim() {
      store = store.slice(0, used);
    },
  };
}
