/** What the Kotlin compiler writes on the class of a suspended function: @DebugMetadata of kotlin.coroutines.jvm.internal. */
import { functionOfContinuation } from '../profile/kotlin-names.ts';

export interface DebugMetadata {
  /** "shop.OrderService" */
  readonly className: string;
  /** "checkout"; "invokeSuspend" for the body of a suspend lambda. */
  readonly methodName: string;
  readonly file: string;
  /** Line of each suspension point; the first belongs to label 1. */
  readonly lines: readonly number[];
}

const BODY_OF_A_LAMBDA = 'invokeSuspend';

/** The suspended function, by what the compiler wrote down, which needs no guess; a lambda's is the one it stands in. */
export function functionOfMetadata({ className, methodName }: DebugMetadata): string {
  return methodName === BODY_OF_A_LAMBDA ? functionOfContinuation(className) : `${className}.${methodName}`;
}

/** Entries of a class's constant pool; undefined when the index is none of that kind. */
export interface PoolEntries {
  text(index: number): string | undefined;
  integer(index: number): number | undefined;
}

type Value = number | string | readonly Value[] | undefined;

const TYPE = 'Lkotlin/coroutines/jvm/internal/DebugMetadata;';
const ONE_INDEX = 'BCDFJSZc'; // constants of other types, and classes
const MAX_DEPTH = 4; // arrays in annotations in arrays: real ones have 2

/** `annotations`: RuntimeVisibleAnnotations as in the class file (JVM specification, 4.7.16). Undefined if it is not there. */
export function parseDebugMetadata(annotations: Uint8Array, pool: PoolEntries): DebugMetadata | undefined {
  const reader = bigEndianReader(annotations);
  const count = reader.u16();
  for (let i = 0; i < count && !reader.overran(); i++) {
    const type = pool.text(reader.u16());
    const elements = readElements(reader, pool, 0);
    if (type === TYPE && !reader.overran()) return debugMetadata(elements);
  }
  return undefined;
}

function debugMetadata(elements: ReadonlyMap<string, Value>): DebugMetadata | undefined {
  const [className, methodName, file] = [elements.get('c'), elements.get('m'), elements.get('f')];
  const lines = elements.get('l');
  if (typeof className !== 'string' || typeof methodName !== 'string' || typeof file !== 'string') {
    return undefined;
  }
  const numbers = Array.isArray(lines)
    ? lines.filter((line): line is number => typeof line === 'number')
    : [];
  return { className, methodName, file, lines: numbers };
}

function readElements(reader: Reader, pool: PoolEntries, depth: number): Map<string, Value> {
  const elements = new Map<string, Value>();
  const count = reader.u16();
  for (let i = 0; i < count && !reader.overran(); i++) {
    const name = pool.text(reader.u16());
    const value = readValue(reader, pool, depth);
    if (name !== undefined) elements.set(name, value);
  }
  return elements;
}

/** Only what @DebugMetadata holds has a value: numbers, strings and arrays of them. The rest is passed over. */
function readValue(reader: Reader, pool: PoolEntries, depth: number): Value {
  const tag = String.fromCharCode(reader.u8());
  switch (tag) {
    case 's':
      return pool.text(reader.u16());
    case 'I':
      return pool.integer(reader.u16());
    case '[':
      return depth < MAX_DEPTH ? readArray(reader, pool, depth + 1) : reader.giveUp();
    case '@':
      reader.u16();
      if (depth < MAX_DEPTH) readElements(reader, pool, depth + 1);
      else reader.giveUp();
      return undefined;
    case 'e':
      reader.u16();
      reader.u16();
      return undefined;
    default:
      if (ONE_INDEX.includes(tag)) reader.u16();
      else reader.giveUp();
      return undefined;
  }
}

function readArray(reader: Reader, pool: PoolEntries, depth: number): Value[] {
  const count = reader.u16();
  const values: Value[] = [];
  for (let i = 0; i < count && !reader.overran(); i++) values.push(readValue(reader, pool, depth));
  return values;
}

/** Zero behind the end, and `overran` from then on. */
interface Reader {
  u8(): number;
  u16(): number;
  overran(): boolean;
  /** Nothing more can be made of the bytes. */
  giveUp(): undefined;
}

function bigEndianReader(bytes: Uint8Array): Reader {
  let position = 0;
  const u8 = () => bytes[position++] ?? 0;
  return {
    u8,
    u16: () => u8() * 256 + u8(),
    overran: () => position > bytes.length,
    giveUp() {
      position = bytes.length + 1;
    },
  };
}
