/** Java objects from outside: which class one is of, what its fields hold. */
import { type ForeignReader, foreignReader, unlessUnreadable } from './foreign-reader.ts';
import type { Hotspot } from './hotspot.ts';
import type { ReadMemory } from './read-memory.ts';
import { readFlags, type VmFlag } from './vm-flags.ts';
import type { VmStructs } from './vm-structs.ts';

export interface HeapReader {
  /** Address of the class of an object; undefined when there is none. */
  classOf(object: bigint): bigint | undefined;
  /** The object that a field refers to, 0n for null; undefined when memory cannot be read. */
  reference(object: bigint, offset: number): bigint | undefined;
  int(object: bigint, offset: number): number | undefined;
  /** The content of a byte[] of at most `maxBytes`; undefined when it is longer, or memory cannot be read. */
  byteArray(object: bigint, maxBytes: number): Uint8Array | undefined;
  /** The number of collections so far; undefined while one is under way, and when memory cannot be read. */
  collections(): number | undefined;
}

/**
 * ZGC, Shenandoah: a collector that moves objects while threads run, so that no counter tells whether an address still
 * holds. HeapUnknown: this JVM does not tell how it stores references.
 */
export type HeapUnsupported = {
  readonly kind: 'unsupported';
  readonly reason: 'ZGC' | 'Shenandoah' | 'HeapUnknown';
};
export type HeapOutcome = { readonly kind: 'reader'; readonly reader: HeapReader } | HeapUnsupported;
export type HeapShapeOutcome = { readonly kind: 'shape'; readonly shape: HeapShape } | HeapUnsupported;

const FLAGS = [
  'UseCompressedOops',
  'UseCompressedClassPointers',
  'UseCompactObjectHeaders',
  'UseZGC',
  'UseShenandoahGC',
];
const LOCK_BITS = 0b11n; // of a mark word
const FORWARDED = 0b11n; // a collector has copied the object, and the rest of the word is where to
const MAX_SHIFT = 10; // compact headers; references have 3

export function createHeapReader(read: ReadMemory, hotspot: Hotspot): HeapOutcome {
  const outcome = readHeapShape(read, hotspot);
  return outcome.kind === 'shape'
    ? { kind: 'reader', reader: heapReader(foreignReader(read), outcome.shape) }
    : outcome;
}

/** How objects are stored, for who reads them. */
export function readHeapShape(read: ReadMemory, hotspot: Hotspot): HeapShapeOutcome {
  const flags = readFlags(read, hotspot.structs, FLAGS);
  const isOn = (name: string) => flags?.get(name)?.on ?? false;
  if (isOn('UseZGC')) return { kind: 'unsupported', reason: 'ZGC' };
  if (isOn('UseShenandoahGC')) return { kind: 'unsupported', reason: 'Shenandoah' };
  const shape = flags && unlessUnreadable(() => shapeOf(foreignReader(read), hotspot, flags));
  return shape ? { kind: 'shape', shape } : { kind: 'unsupported', reason: 'HeapUnknown' };
}

/** A narrow reference is an offset in units of 2^shift. */
interface Narrow {
  readonly base: bigint;
  readonly shift: bigint;
}

export interface HeapShape {
  /** Undefined when references are whole addresses. */
  readonly narrowOop: Narrow | undefined;
  readonly classWord:
    | { readonly kind: 'whole'; readonly offset: bigint }
    | ({ readonly kind: 'narrow'; readonly offset: bigint } & Narrow)
    | ({ readonly kind: 'in mark word'; readonly markShift: bigint } & Narrow);
  readonly totalCollections: bigint;
  readonly isActive: bigint;
}

function shapeOf(
  memory: ForeignReader,
  { structs, layout }: Hotspot,
  flags: ReadonlyMap<string, VmFlag>,
): HeapShape | undefined {
  const isOn = (name: string) => flags.get(name)?.on ?? false;
  const narrowOop = isOn('UseCompressedOops') ? narrow(memory, structs, OOPS) : undefined;
  const classWord = classWordOf(memory, structs, flags);
  const [totalCollections, isActive] = [
    layout.get('total_collections_address'),
    layout.get('is_gc_active_address'),
  ];
  if (isOn('UseCompressedOops') && !narrowOop) return undefined;
  if (!classWord || totalCollections === undefined || isActive === undefined) return undefined;
  return { narrowOop, classWord, totalCollections, isActive };
}

function classWordOf(
  memory: ForeignReader,
  structs: VmStructs,
  flags: ReadonlyMap<string, VmFlag>,
): HeapShape['classWord'] | undefined {
  const hasNarrowClasses = flags.get('UseCompressedClassPointers')?.on ?? true; // one day there is no choice any more
  const klass = structs.field('oopDesc', '_metadata._klass');
  const offset = klass && BigInt(klass.offset);
  if (flags.get('UseCompactObjectHeaders')?.on) {
    const markShift = structs.constant('markWord::klass_shift');
    const base = narrow(memory, structs, CLASSES);
    return markShift === undefined || !base ? undefined : { kind: 'in mark word', markShift, ...base };
  }
  if (offset === undefined) return undefined;
  if (!hasNarrowClasses) return { kind: 'whole', offset };
  const base = narrow(memory, structs, CLASSES);
  return base && { kind: 'narrow', offset, ...base };
}

/** Type and the names of its base and shift, the newer first. */
type NarrowNames = readonly [type: string, base: readonly string[], shift: readonly string[]];
const OOPS: NarrowNames = [
  'CompressedOops',
  ['_base', '_narrow_oop._base'],
  ['_shift', '_narrow_oop._shift'],
];
const CLASSES: NarrowNames = [
  'CompressedKlassPointers',
  ['_base', '_narrow_klass._base'],
  ['_shift', '_narrow_klass._shift'],
];

function narrow(
  memory: ForeignReader,
  structs: VmStructs,
  [type, bases, shifts]: NarrowNames,
): Narrow | undefined {
  const addressOf = (names: readonly string[]) =>
    names.map((name) => structs.address(type, name)).find((address) => address !== undefined);
  const [base, shift] = [addressOf(bases), addressOf(shifts)];
  if (base === undefined || shift === undefined) return undefined;
  const bits = memory.i32(shift);
  return bits >= 0 && bits <= MAX_SHIFT ? { base: memory.pointer(base), shift: BigInt(bits) } : undefined;
}

function heapReader(
  memory: ForeignReader,
  { narrowOop, classWord, totalCollections, isActive }: HeapShape,
): HeapReader {
  const u32 = (address: bigint) => BigInt(memory.i32(address) >>> 0);
  const classOf = (object: bigint): bigint | undefined => {
    switch (classWord.kind) {
      case 'whole':
        return memory.pointer(object + classWord.offset);
      case 'narrow':
        return classWord.base + (u32(object + classWord.offset) << classWord.shift);
      case 'in mark word': {
        const mark = memory.pointer(object);
        if ((mark & LOCK_BITS) === FORWARDED) return undefined;
        return classWord.base + ((mark >> classWord.markShift) << classWord.shift);
      }
    }
  };
  const reference = (address: bigint): bigint => {
    if (!narrowOop) return memory.pointer(address);
    const offset = u32(address);
    return offset === 0n ? 0n : narrowOop.base + (offset << narrowOop.shift);
  };
  return {
    classOf: (object) => unlessUnreadable(() => classOf(object)),
    reference: (object, offset) => unlessUnreadable(() => reference(object + BigInt(offset))),
    int: (object, offset) => unlessUnreadable(() => memory.i32(object + BigInt(offset))),
    byteArray: (object, maxBytes) =>
      unlessUnreadable(() => {
        const header = arrayHeaderBytes(classWord);
        if (header === undefined) return undefined;
        const length = memory.i32(object + header);
        return length >= 0 && length <= maxBytes ? memory.bytes(object + header + 4n, length) : undefined;
      }),
    collections: () =>
      unlessUnreadable(() => {
        const count = memory.i32(totalCollections);
        return memory.bytes(isActive, 1)[0] === 0 ? count : undefined;
      }),
  };
}

/** What stands before the length of an array. With whole class pointers the elements begin elsewhere in each release. */
function arrayHeaderBytes(classWord: HeapShape['classWord']): bigint | undefined {
  switch (classWord.kind) {
    case 'whole':
      return undefined;
    case 'narrow':
      return classWord.offset + 4n;
    case 'in mark word':
      return 8n;
  }
}
