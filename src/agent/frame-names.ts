/** Names of the methods and stubs of one JVM, and what tells the methods' lines, by the numbers that the addon gave them in its frames. */
import type { NativeMethod } from '../native/addon.ts';
import { cleanName } from '../symbols/clean-name.ts';
import { javaMethodName, javaName } from '../symbols/java-name.ts';
import type { NameStore } from '../symbols/name-store.ts';

export interface FrameNames {
  /** Methods met. */
  readonly methods: number;
  learnMethod(method: MetMethod): void;
  learnStub(stub: { readonly id: number; readonly name: string }): void;
  /** Undefined for 0 and whatever was not learned. */
  methodAt(id: number): KnownMethod | undefined;
  stubName(id: number): string | undefined;
  /** Numbers begin anew. */
  forget(): void;
  close(): void;
}

export type MetMethod = Pick<NativeMethod, 'id' | 'holder' | 'name' | 'sourceFile' | 'lineTable'>;

export interface KnownMethod {
  /** "shop.Codec.decode" */
  readonly name: string;
  /** "Codec.kt"; empty if the class does not say. */
  readonly sourceFile: string;
  /** As HotSpot has it; cut where it is longer than a store's entry, empty if there is none. */
  readonly lineTable: Uint8Array;
}

const MAX_METHODS = 131_072; // 512 KB of positions; a large service runs 10 000 methods, numbers come in order
const MAX_STUBS = 4096; // kMaxNames of native/name_table.cc; seen: 60
const FIRST_METHODS = 1024;

/** `open` makes a store for names; there is one at a time. */
export function createFrameNames(open: () => NameStore): FrameNames {
  let store: NameStore | undefined;
  let places = new Uint32Array(0); // by number: 1 + where the name is, 0 for none
  let methods = 0;
  const stubs = new Map<number, string>();

  const forget = () => {
    store?.close();
    store = undefined;
    places = new Uint32Array(0);
    methods = 0;
    stubs.clear();
  };
  return {
    get methods() {
      return methods;
    },
    learnMethod({ id, holder, name, sourceFile, lineTable }) {
      if (id >= MAX_METHODS) return;
      places = withRoom(places, id);
      store ??= open();
      const text = `${javaMethodName(holder, name)}\0${cleanName(sourceFile)}\0`; // neither has a NUL of its own
      const bytes = Buffer.concat([Buffer.from(text, 'utf8'), lineTable]);
      const position = store.add(bytes, 0, bytes.length);
      if (position === undefined) return;
      places[id] = position + 1;
      methods++;
    },
    learnStub({ id, name }) {
      if (stubs.size < MAX_STUBS) stubs.set(id, javaName(name));
    },
    methodAt(id) {
      const place = places[id] ?? 0;
      if (place === 0 || !store) return undefined;
      return knownMethod(store.at(place - 1));
    },
    stubName: (id) => stubs.get(id),
    forget,
    close: forget,
  };
}

/** The bytes are the store's, and only lent. */
function knownMethod(lent: Uint8Array): KnownMethod {
  const bytes = Buffer.from(lent.buffer, lent.byteOffset, lent.length);
  const nameEnd = endOf(bytes, 0);
  const fileEnd = endOf(bytes, nameEnd + 1);
  return {
    name: bytes.toString('utf8', 0, nameEnd),
    sourceFile: bytes.toString('utf8', nameEnd + 1, fileEnd),
    lineTable: Uint8Array.from(bytes.subarray(fileEnd + 1)),
  };
}

/** Of the text that a NUL ends, or the entry. */
function endOf(bytes: Buffer, start: number): number {
  const nul = bytes.indexOf(0, start);
  return nul < 0 ? bytes.length : nul;
}

function withRoom(places: Uint32Array<ArrayBuffer>, id: number): Uint32Array<ArrayBuffer> {
  if (id < places.length) return places;
  const larger = new Uint32Array(Math.min(MAX_METHODS, Math.max(FIRST_METHODS, 2 * id)));
  larger.set(places);
  return larger;
}
