/** Classes of a JVM from outside: name, supertypes, fields, annotations. Read once per class; nothing is kept here. */
import { type DebugMetadata, type PoolEntries, parseDebugMetadata } from './debug-metadata.ts';
import { type FieldInfo, parseFieldSlots, parseFieldStream } from './field-info.ts';
import { type ForeignReader, foreignReader, UnreadableMemory, unlessUnreadable } from './foreign-reader.ts';
import type { Hotspot } from './hotspot.ts';
import { decodeModifiedUtf8 } from './modified-utf8.ts';
import type { ReadMemory } from './read-memory.ts';
import type { ExcludedBytes } from './unsigned5.ts';
import type { UnwindField } from './unwind-layout.ts';

/** A class as its InstanceKlass has it. Every answer is undefined when memory cannot be read or is no class's. */
export interface ClassReader {
  /** "shop/OrderService" */
  nameOf(klass: bigint): string | undefined;
  /** Names of the class itself and of its superclasses, up to java/lang/Object. */
  lineageOf(klass: bigint): readonly string[] | undefined;
  /** Offset of an instance field in objects of the class, its own or inherited: the nearest of that name. */
  fieldOffset(klass: bigint, name: string): number | undefined;
  debugMetadataOf(klass: bigint): DebugMetadata | undefined;
}

const MAX_NAME_BYTES = 1024; // a class file allows 65535; longest seen: 190
const MAX_SUPERS = 32; // coroutine classes have 5, a deep framework 12
const MAX_POOL_ENTRIES = 65_535;
const MAX_ARRAY_BYTES = 128 * 1024; // annotations, or the fields of a class
const ARRAY_HEADER_BYTES = 4n; // Array<u1> and Array<u2>: a length, then the elements (hotspot/share/oops/array.hpp)
const SLOT_BYTES = 8n;

/** Undefined when this JVM does not tell where classes keep these things. */
export function createClassReader(read: ReadMemory, hotspot: Hotspot): ClassReader | undefined {
  const shape = shapeOf(hotspot);
  return shape && classReader(foreignReader(read), shape);
}

interface Shape {
  readonly name: bigint;
  readonly super: bigint;
  readonly constants: bigint;
  readonly annotations: bigint;
  readonly classAnnotations: bigint;
  readonly fieldInfo: bigint;
  /** Of slots; undefined where the fields are a stream, which counts itself. */
  readonly fieldCount: bigint | undefined;
  readonly poolSize: bigint;
  readonly poolLength: bigint;
  readonly symbolLength: bigint;
  readonly symbolBody: bigint;
  readonly excluded: ExcludedBytes;
}

function shapeOf({ structs, layout }: Hotspot): Shape | undefined {
  const member = (type: string, name: string) => {
    const field = structs.field(type, name);
    return field && BigInt(field.offset);
  };
  const known = (field: UnwindField) => layout.get(field) ?? 0n;
  const superKlass = member('Klass', '_super');
  const constants = member('InstanceKlass', '_constants');
  const annotations = member('InstanceKlass', '_annotations');
  const stream = member('InstanceKlass', '_fieldinfo_stream');
  const fieldInfo = stream ?? member('InstanceKlass', '_fields');
  const fieldCount = stream === undefined ? member('InstanceKlass', '_java_fields_count') : undefined;
  if (superKlass === undefined || constants === undefined || annotations === undefined) return undefined;
  if (fieldInfo === undefined || (stream === undefined && fieldCount === undefined)) return undefined;
  return {
    name: known('klass_name'),
    super: superKlass,
    constants,
    annotations,
    classAnnotations: member('Annotations', '_class_annotations') ?? 0n, // in no table before 25, and the first of all
    fieldInfo,
    fieldCount,
    poolSize: known('constant_pool_size'),
    poolLength: known('constant_pool_length'),
    symbolLength: known('symbol_length'),
    symbolBody: known('symbol_body'),
    excluded: known('unsigned5_excluded') === 1n ? 1 : 0,
  };
}

function classReader(memory: ForeignReader, shape: Shape): ClassReader {
  const symbolText = (symbol: bigint): string => {
    const length = memory.u16(symbol + shape.symbolLength);
    if (length > MAX_NAME_BYTES) throw new UnreadableMemory(symbol, length);
    return decodeModifiedUtf8(memory.bytes(symbol + shape.symbolBody, length));
  };
  const nameOf = (klass: bigint) => symbolText(memory.pointer(klass + shape.name));
  const fieldsOf = (klass: bigint): FieldInfo[] => {
    const { fieldCount, excluded } = shape;
    const array = memory.pointer(klass + shape.fieldInfo);
    return fieldCount === undefined
      ? parseFieldStream(arrayBytes(memory, array, 1), excluded)
      : parseFieldSlots(arrayBytes(memory, array, 2), memory.u16(klass + fieldCount));
  };
  return {
    nameOf: (klass) => unlessUnreadable(() => nameOf(klass)),
    lineageOf: (klass) => unlessUnreadable(() => supersOf(memory, shape, klass).map(nameOf)),
    fieldOffset: (klass, name) =>
      unlessUnreadable(() => {
        for (const each of supersOf(memory, shape, klass)) {
          const pool = poolOf(memory, shape, each, symbolText);
          const field = fieldsOf(each).find(
            ({ nameIndex, isStatic }) => !isStatic && pool.text(nameIndex) === name,
          );
          if (field) return field.offset;
        }
        return undefined;
      }),
    debugMetadataOf: (klass) =>
      unlessUnreadable(() => {
        const annotations = memory.pointer(klass + shape.annotations);
        const array = annotations === 0n ? 0n : memory.pointer(annotations + shape.classAnnotations);
        if (array === 0n) return undefined;
        return parseDebugMetadata(arrayBytes(memory, array, 1), poolOf(memory, shape, klass, symbolText));
      }),
  };
}

function supersOf(memory: ForeignReader, shape: Shape, klass: bigint): bigint[] {
  if (klass === 0n) throw new UnreadableMemory(klass, Number(SLOT_BYTES));
  const supers: bigint[] = [];
  let each = klass;
  while (each !== 0n && supers.length < MAX_SUPERS) {
    supers.push(each);
    each = memory.pointer(each + shape.super);
  }
  return supers;
}

/** Of an Array<u1> or Array<u2>. */
function arrayBytes(memory: ForeignReader, array: bigint, elementBytes: number): Uint8Array {
  const length = memory.i32(array) * elementBytes;
  if (length < 0 || length > MAX_ARRAY_BYTES) throw new UnreadableMemory(array, length);
  return memory.bytes(array + ARRAY_HEADER_BYTES, length);
}

function poolOf(
  memory: ForeignReader,
  shape: Shape,
  klass: bigint,
  symbolText: (symbol: bigint) => string,
): PoolEntries {
  const pool = memory.pointer(klass + shape.constants);
  const length = memory.i32(pool + shape.poolLength);
  const slot = (index: number) => pool + shape.poolSize + SLOT_BYTES * BigInt(index);
  const isInside = (index: number) => index > 0 && index < length && length <= MAX_POOL_ENTRIES;
  return {
    text: (index) => (isInside(index) ? symbolText(memory.pointer(slot(index))) : undefined),
    integer: (index) => (isInside(index) ? memory.i32(slot(index)) : undefined),
  };
}
