/** Each name and each stack once: ids for what is written, shared arrays for what is read. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { NOWHERE } from '../profile/place.ts';
import type { SharedStack, StackSource } from '../profile/shared-stacks.ts';
import type { IdSet } from './id-set.ts';
import { KnownIds } from './known-ids.ts';
import { type PackedTexts, textAt, writeWords } from './packed-texts.ts';
import { RecentCache } from './recent-cache.ts';
import { IdsSpent } from './store-error.ts';

export interface Interner {
  stringId(texts: PackedTexts, index: number): number;
  /** Of the first `size` words: the number of frames, their string ids, leaf first, and as many of places, 0 for none, or none at all. */
  stackId(words: Uint32Array<ArrayBuffer>, size: number): number;
  /** A stack, one object however often it is asked for, its frames shared with stacks of other places; undefined: no such stack. */
  stackOf(stackId: number): SharedStack | undefined;
  /** Of the numbers of its stacks; another one after it forgot. */
  source(): StackSource;
  /** After a rolled-back transaction or a sweep, ids known from before may be gone: of stacks those that `isGone` says. */
  forget(isGone: (stackId: number) => boolean): void;
  /** From now on each id that is given out is added to these; undefined: to none any more. */
  noteInto(given: GivenIds | undefined): void;
}

export interface GivenIds {
  readonly stacks: IdSet;
  readonly strings: IdSet;
}

/** Distinct names of a few dozen JVMs; one cached entry costs about 150 bytes. */
const MAX_CACHED = 200_000;
/** Of a hundred: 8 MiB. */
const MAX_KNOWN_STRINGS = 250_000;
/** Frames and places of cached stacks, 8 bytes each: some ten thousand deep stacks, what a busy service has in every window. */
const MAX_FRAMES = 1_000_000;
/** Of a hundred services that each have ten thousand: 32 MiB. */
const MAX_KNOWN_STACKS = 1_000_000;
/** Ids only grow, whatever is swept: a thousand new stacks a second reach it in 50 days. */
const LAST_ID = 0xffff_ffff;
/** Of a name of as many characters as a batch may have in one (src/wire/batch-schema.ts), four bytes each. */
const LONGEST_TEXT_WORDS = 1_024 + 4;
const OVERHEAD = 16; // of an array and its entries, in frames

const sizeOf = (frames: readonly string[]): number => frames.length + OVERHEAD;
const ofStack = ({ frames, places = [] }: SharedStack): number => frames.length + sizeOf(places);

export function interner(db: DatabaseSync): Interner {
  const addString = db.prepare('INSERT INTO string (text) VALUES (?) ON CONFLICT DO NOTHING RETURNING id');
  const findString = db.prepare('SELECT id FROM string WHERE text = ?');
  const textOf = db.prepare('SELECT text FROM string WHERE id = ?');
  const addStack = db.prepare('INSERT INTO stack (frames, places) VALUES (?, ?)');
  const stackById = db.prepare('SELECT frames, places FROM stack WHERE id = ?');
  const textWords = new Uint32Array(LONGEST_TEXT_WORDS);
  const knownStrings = new KnownIds(MAX_KNOWN_STRINGS);
  const knownStacks = new KnownIds(MAX_KNOWN_STACKS);
  const texts = new RecentCache<number, string>(MAX_CACHED);
  const frames = new RecentCache<string, readonly string[]>(MAX_FRAMES, sizeOf);
  const stacks = new RecentCache<number, SharedStack>(MAX_FRAMES, ofStack);
  let numbering = { next: 0 };
  let given: GivenIds | undefined;
  const readText = (id: number): string => String(textOf.get(id)?.['text'] ?? '[unknown]');
  const text = (id: number): string => texts.get(id, () => readText(id));
  const textsOf = (bytes: Uint8Array): readonly string[] =>
    decodeIds(bytes).map((id) => (id === 0 ? NOWHERE : text(id)));
  return {
    stringId: (strings, index) => {
      const size = writeWords(strings, index, textWords);
      const id = knownStrings.get(textWords, size, () => {
        const text = textAt(strings, index);
        return writable((addString.get(text) ?? findString.get(text))?.['id']);
      });
      given?.strings.add(id);
      return id;
    },
    stackId(words, size) {
      const id = knownStacks.get(words, size, () => {
        const bytes = Buffer.from(words.buffer, words.byteOffset, 4 * size);
        const firstPlace = 4 * (1 + (words[0] ?? 0));
        return writable(
          addStack.run(bytes.subarray(4, firstPlace), bytes.subarray(firstPlace)).lastInsertRowid,
        );
      });
      given?.stacks.add(id);
      return id;
    },
    stackOf: (id) => {
      const known = stacks.peek(id);
      if (known !== undefined) return known;
      const { frames: ofFrames, places } = stackById.get(id) ?? {};
      if (!(ofFrames instanceof Uint8Array && places instanceof Uint8Array)) return undefined;
      return stacks.get(id, () => ({
        frames: frames.get(digestOf(ofFrames).toString('latin1'), () => textsOf(ofFrames)),
        places: places.length === 0 ? undefined : textsOf(places),
        number: numbering.next++,
      }));
    },
    source: () => numbering,
    forget: (isGone) => {
      numbering = { next: 0 };
      knownStacks.drop(isGone);
      knownStrings.drop(() => true);
      for (const cache of [texts, frames, stacks]) cache.clear();
    },
    noteInto(ids) {
      given = ids;
    },
  };
}

function writable(id: unknown): number {
  if (Number(id) > LAST_ID) throw new IdsSpent();
  return Number(id);
}

const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer').subarray(0, 16);

/** Little-endian, as every machine node runs on is. */
export const encodeIds = (ids: readonly number[]): Uint8Array => new Uint8Array(new Uint32Array(ids).buffer);

export function decodeIds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ids = new Array<number>(bytes.byteLength >> 2);
  for (let index = 0; index < ids.length; index++) ids[index] = view.getUint32(index * 4, true);
  return ids;
}
