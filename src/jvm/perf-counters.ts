/** Where a JVM keeps the numbers that jstat shows (hotspot/share/runtime/perfMemory.hpp, perfData.hpp), for who reads them later. */
import { type Fields, littleEndian } from '../symbols/little-endian.ts';
import { foreignReader, unlessUnreadable } from './foreign-reader.ts';
import type { ReadMemory } from './read-memory.ts';
import type { VmStructs } from './vm-structs.ts';

const MAGIC = [0xca, 0xfe, 0xc0, 0xc0];
const LITTLE_ENDIAN = 1;
/** Of PerfDataPrologue and PerfDataEntry of version 2. */
const PROLOGUE = { bytes: 32, byteOrder: 4, version: 5, used: 8, firstEntry: 24, entries: 28 };
const ENTRY = { bytes: 20, length: 0, name: 4, vector: 8, type: 12, data: 16 };
const VERSION = 2;
const LONG = 0x4a; // 'J'
const MAX_BYTES = 256 * 1024; // PerfDataMemorySize is 32 KB unless somebody says otherwise
const MAX_ENTRIES = 4096; // longest seen: 270

/** The address of a counter of eight bytes; undefined where there is none, as with -XX:-UsePerfData. */
export function perfCounterAt(read: ReadMemory, structs: VmStructs, name: string): bigint | undefined {
  const start = structs.address('PerfMemory', '_start');
  if (start === undefined) return undefined;
  return unlessUnreadable(() => {
    const memory = foreignReader(read);
    const region = memory.pointer(start);
    if (region === 0n) return undefined;
    const head = memory.bytes(region, PROLOGUE.bytes);
    const prologue = littleEndian(head);
    const used = prologue.i32(PROLOGUE.used);
    const isKnown =
      MAGIC.every((byte, at) => head[at] === byte) &&
      head[PROLOGUE.byteOrder] === LITTLE_ENDIAN &&
      head[PROLOGUE.version] === VERSION;
    if (!isKnown || used < PROLOGUE.bytes || used > MAX_BYTES) return undefined;
    const at = placeIn(memory.bytes(region, used), name, {
      first: prologue.i32(PROLOGUE.firstEntry),
      count: prologue.i32(PROLOGUE.entries),
    });
    return at === undefined ? undefined : region + BigInt(at);
  });
}

function placeIn(
  bytes: Uint8Array,
  name: string,
  entries: { readonly first: number; readonly count: number },
): number | undefined {
  const fields: Fields = littleEndian(bytes);
  let entry = entries.first;
  for (let i = 0; i < Math.min(entries.count, MAX_ENTRIES); i++) {
    if (entry < PROLOGUE.bytes || entry + ENTRY.bytes > bytes.length) return undefined;
    const data = entry + fields.i32(entry + ENTRY.data);
    const isLong = fields.i32(entry + ENTRY.vector) === 0 && bytes[entry + ENTRY.type] === LONG;
    const fits = data % 8 === 0 && data >= PROLOGUE.bytes && data + 8 <= bytes.length;
    if (isLong && fits && isNamed(bytes, entry + fields.i32(entry + ENTRY.name), name)) return data;
    const length = fields.i32(entry + ENTRY.length);
    if (length < ENTRY.bytes) return undefined;
    entry += length;
  }
  return undefined;
}

function isNamed(bytes: Uint8Array, at: number, name: string): boolean {
  const expected = [...name].map((letter) => letter.charCodeAt(0));
  return at > 0 && [...expected, 0].every((byte, i) => bytes[at + i] === byte);
}
