/** Each name and each stack once: ids for what is written, shared arrays for what is read. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

export interface Interner {
  stringId(text: string): number;
  /** `frames`: string ids, leaf first. */
  stackId(frames: readonly number[]): number;
  /** The frames of a stack, one array per stack however often it is asked for; undefined: no such stack. */
  framesOf(stackId: number): readonly string[] | undefined;
  /** After a rolled-back transaction or a sweep, ids known from before may be gone. */
  forget(): void;
}

/** Distinct names of a few dozen JVMs; one cached entry costs about 150 bytes. */
const MAX_CACHED = 200_000;

export function interner(db: DatabaseSync): Interner {
  const addString = db.prepare('INSERT INTO string (text) VALUES (?) ON CONFLICT DO NOTHING RETURNING id');
  const findString = db.prepare('SELECT id FROM string WHERE text = ?');
  const textOf = db.prepare('SELECT text FROM string WHERE id = ?');
  const addStack = db.prepare(
    'INSERT INTO stack (hash, frames) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id',
  );
  const findStack = db.prepare('SELECT id FROM stack WHERE hash = ?');
  const framesById = db.prepare('SELECT frames FROM stack WHERE id = ?');
  const stringIds = new BoundedMap<string, number>(MAX_CACHED);
  const stackIds = new BoundedMap<string, number>(MAX_CACHED);
  const texts = new BoundedMap<number, string>(MAX_CACHED);
  const frames = new BoundedMap<number, readonly string[]>(MAX_CACHED);
  const readText = (id: number): string => String(textOf.get(id)?.['text'] ?? '[unknown]');
  return {
    stringId: (text) =>
      stringIds.get(text, () => Number((addString.get(text) ?? findString.get(text))?.['id'])),
    stackId: (ids) => {
      const bytes = encodeIds(ids);
      const digest = hash('sha256', bytes, 'buffer').subarray(0, 16);
      return stackIds.get(digest.toString('latin1'), () =>
        Number((addStack.get(digest, bytes) ?? findStack.get(digest))?.['id']),
      );
    },
    framesOf: (id) => {
      const known = frames.peek(id);
      if (known !== undefined) return known;
      const blob = framesById.get(id)?.['frames'];
      if (!(blob instanceof Uint8Array)) return undefined;
      return frames.get(id, () => decodeIds(blob).map((string) => texts.get(string, () => readText(string))));
    },
    forget: () => {
      for (const cache of [stringIds, stackIds, texts, frames]) cache.clear();
    },
  };
}

export function encodeIds(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, id] of ids.entries()) view.setUint32(index * 4, id, true);
  return bytes;
}

export function decodeIds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ids = new Array<number>(bytes.byteLength >> 2);
  for (let index = 0; index < ids.length; index++) ids[index] = view.getUint32(index * 4, true);
  return ids;
}

/** Forgets everything when full: what is asked for again comes back from the database. */
class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  peek(key: K): V | undefined {
    return this.#entries.get(key);
  }

  get(key: K, make: () => V): V {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.#entries.size >= this.#limit) this.#entries.clear();
    this.#entries.set(key, made);
    return made;
  }

  clear(): void {
    this.#entries.clear();
  }
}
