/** The CoroutineName that a coroutine was started with, from its context in the heap. */
import type { ClassReader } from './class-reader.ts';
import type { HeapReader } from './heap-reader.ts';

const NAME = 'kotlinx/coroutines/CoroutineName';
const COMBINED = 'kotlin/coroutines/CombinedContext'; // a list: the rest to the left, one element to the right
const MAX_ELEMENTS = 32; // a request has 5: job, dispatcher, name, handler, a tracing context
const MAX_NAME_BYTES = 512;
const UTF16 = 1; // String.coder; 0 is Latin-1

/**
 * `root`: a coroutine as walkChain returns it, of a heap that had seen `collectionsThen` collections. Undefined if it has
 * no name, or objects may have moved.
 */
export function coroutineName(
  heap: HeapReader,
  classes: ClassReader,
  root: bigint,
  collectionsThen: number,
): string | undefined {
  const name = nameIn({ heap, classes }, reference({ heap, classes }, root, 'context'));
  return heap.collections() === collectionsThen ? name : undefined;
}

interface Readers {
  readonly heap: HeapReader;
  readonly classes: ClassReader;
}

function nameIn(readers: Readers, context: bigint): string | undefined {
  let rest = context;
  for (let i = 0; rest !== 0n && i < MAX_ELEMENTS; i++) {
    const isList = classNameOf(readers, rest) === COMBINED;
    const element = isList ? reference(readers, rest, 'element') : rest;
    if (classNameOf(readers, element) === NAME) return text(readers, reference(readers, element, 'name'));
    rest = isList ? reference(readers, rest, 'left') : 0n;
  }
  return undefined;
}

/** A java.lang.String. */
function text({ heap, classes }: Readers, object: bigint): string | undefined {
  const klass = heap.classOf(object) ?? 0n;
  const coder = classes.fieldOffset(klass, 'coder');
  const value = reference({ heap, classes }, object, 'value');
  const bytes = heap.byteArray(value, MAX_NAME_BYTES);
  if (!bytes || coder === undefined) return undefined;
  const isWide = ((heap.int(object, coder) ?? 0) & 0xff) === UTF16;
  const units = isWide ? new Uint16Array(Uint8Array.from(bytes).buffer) : bytes;
  return String.fromCharCode(...units);
}

function reference({ heap, classes }: Readers, object: bigint, field: string): bigint {
  const klass = object === 0n ? undefined : heap.classOf(object);
  const offset = klass === undefined ? undefined : classes.fieldOffset(klass, field);
  return offset === undefined ? 0n : (heap.reference(object, offset) ?? 0n);
}

function classNameOf({ heap, classes }: Readers, object: bigint): string | undefined {
  const klass = object === 0n ? undefined : heap.classOf(object);
  return klass === undefined ? undefined : classes.nameOf(klass);
}
