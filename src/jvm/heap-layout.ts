/**
 * What the addon has to know of a JVM to follow continuations through its heap, in one table of numbers: the same names
 * in the same order as in native/heap_layout.h, which says what each of them means.
 */
import { type HeapShape, type HeapUnsupported, readHeapShape } from './heap-reader.ts';
import type { Hotspot } from './hotspot.ts';
import type { ReadMemory } from './read-memory.ts';
import type { VmStructs } from './vm-structs.ts';

export const HEAP_FIELDS = [
  'narrow_oop_base',
  'narrow_oop_shift',
  'narrow_klass_base',
  'narrow_klass_shift',
  'object_klass',
  'mark_klass_shift',
  'klass_super',
  'instance_klass_constants',
  'instance_klass_fieldinfo_stream',
  'instance_klass_fields',
  'instance_klass_java_fields_count',
] as const;

type HeapField = (typeof HEAP_FIELDS)[number];
type HeapFields = Readonly<Partial<Record<HeapField, bigint>>>;

export type HeapLayoutOutcome =
  | { readonly kind: 'layout'; readonly layout: BigInt64Array<ArrayBuffer> }
  | HeapUnsupported;

const ABSENT = -1n;

/** As the addon takes it; or why continuations of this JVM cannot be followed. */
export function readHeapLayout(read: ReadMemory, hotspot: Hotspot): HeapLayoutOutcome {
  const outcome = readHeapShape(read, hotspot);
  if (outcome.kind === 'unsupported') return outcome;
  const fields = { ...fieldsOfObjects(outcome.shape), ...fieldsOfClasses(hotspot.structs) };
  if (!isWhole(fields)) return { kind: 'unsupported', reason: 'HeapUnknown' };
  return { kind: 'layout', layout: BigInt64Array.from(HEAP_FIELDS, (field) => fields[field] ?? ABSENT) };
}

function fieldsOfObjects({ narrowOop, classWord }: HeapShape): HeapFields {
  const references = narrowOop && { narrow_oop_base: narrowOop.base, narrow_oop_shift: narrowOop.shift };
  if (classWord.kind === 'whole') return { ...references, object_klass: classWord.offset };
  const classes = { narrow_klass_base: classWord.base, narrow_klass_shift: classWord.shift };
  return classWord.kind === 'narrow'
    ? { ...references, ...classes, object_klass: classWord.offset }
    : { ...references, ...classes, mark_klass_shift: classWord.markShift };
}

function fieldsOfClasses(structs: VmStructs): HeapFields {
  const sources: Partial<Record<HeapField, readonly [type: string, field: string]>> = {
    klass_super: ['Klass', '_super'],
    instance_klass_constants: ['InstanceKlass', '_constants'],
    instance_klass_fieldinfo_stream: ['InstanceKlass', '_fieldinfo_stream'],
    instance_klass_fields: ['InstanceKlass', '_fields'],
    instance_klass_java_fields_count: ['InstanceKlass', '_java_fields_count'],
  };
  const entries = Object.entries(sources).flatMap(([name, source]) => {
    const field = structs.field(...source);
    return field ? [[name, BigInt(field.offset)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** Fields of a class are a stream, which counts itself, or slots and their number. */
function isWhole(fields: HeapFields): boolean {
  const has = (...names: readonly HeapField[]) => names.every((name) => fields[name] !== undefined);
  const hasFields =
    has('instance_klass_fieldinfo_stream') ||
    has('instance_klass_fields', 'instance_klass_java_fields_count');
  return hasFields && has('klass_super', 'instance_klass_constants');
}
