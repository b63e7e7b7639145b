/**
 * Where the names of a symbol table are kept: there are twenty thousand to a JVM and sixty thousand to a kernel, and a
 * window asks for a few hundred of them.
 */
export interface NameStore {
  /** Where the name can be read again, or undefined when the store is full. */
  add(bytes: Uint8Array, start: number, end: number): number | undefined;
  /** The bytes of a name, valid until the next call. */
  at(position: number): Uint8Array;
  close(): void;
}

export const NAME_LENGTH_BYTES = 2;
export const MAX_NAME_BYTES = 1024;

/** A store in memory, for a tool that ends soon. Names longer than 1024 bytes are cut. */
export function createMemoryNameStore(maxBytes: number): NameStore {
  let store = new Uint8Array(Math.min(64 * 1024, maxBytes));
  let used = 0;
  return {
    add(bytes, start, end) {
      const length = Math.min(end - start, MAX_NAME_BYTES);
      const position = used;
      const next = used + NAME_LENGTH_BYTES + length;
      if (next > maxBytes) return undefined;
      if (next > store.length) {
        store = new Uint8Array(store.buffer.transfer(Math.min(maxBytes, Math.max(next, store.length * 2))));
      }
      putName(store, position, bytes.subarray(start, start + length));
      used = next;
      return position;
    },
    at(position) {
      const start = position + NAME_LENGTH_BYTES;
      return store.subarray(start, start + nameLength(store, position));
    },
    close() {
      store = new Uint8Array(0);
      used = 0;
    },
  };
}

/** Writes the name behind its length, two bytes little-endian. */
export function putName(store: Uint8Array, position: number, name: Uint8Array): void {
  store[position] = name.length & 0xff;
  store[position + 1] = name.length >> 8;
  store.set(name, position + NAME_LENGTH_BYTES);
}

export function nameLength(store: Uint8Array, position: number): number {
  return (store[position] ?? 0) | ((store[position + 1] ?? 0) << 8);
}
