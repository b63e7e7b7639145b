/** Names of the methods and stubs of one JVM, by the numbers that the addon gave them in its frames. */
import { javaMethodName, javaName } from '../symbols/java-name.ts';
import type { NameStore } from '../symbols/name-store.ts';

export interface FrameNames {
  /** Methods met. */
  readonly methods: number;
  learnMethod(method: { readonly id: number; readonly holder: string; readonly name: string }): void;
  learnStub(stub: { readonly id: number; readonly name: string }): void;
  /** Undefined for 0 and whatever was not learned. */
  methodName(id: number): string | undefined;
  stubName(id: number): string | undefined;
  /** Numbers begin anew. */
  forget(): void;
  close(): void;
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
    learnMethod({ id, holder, name }) {
      if (id >= MAX_METHODS) return;
      places = withRoom(places, id);
      store ??= open();
      const bytes = Buffer.from(javaMethodName(holder, name), 'utf8');
      const position = store.add(bytes, 0, bytes.length);
      if (position === undefined) return;
      places[id] = position + 1;
      methods++;
    },
    learnStub({ id, name }) {
      if (stubs.size < MAX_STUBS) stubs.set(id, javaName(name));
    },
    methodName(id) {
      const place = places[id] ?? 0;
      if (place === 0 || !store) return undefined;
      const bytes = store.at(place - 1);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    },
    stubName: (id) => stubs.get(id),
    forget,
    close: forget,
  };
}

function withRoom(places: Uint32Array<ArrayBuffer>, id: number): Uint32Array<ArrayBuffer> {
  if (id < places.length) return places;
  const larger = new Uint32Array(Math.min(MAX_METHODS, Math.max(FIRST_METHODS, 2 * id)));
  larger.set(places);
  return larger;
}
