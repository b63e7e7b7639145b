/** The tables of vmStructs as rows of columns: where each is, how long its rows are, where it ends. */
import { type Fields, littleEndian } from '../symbols/little-endian.ts';
import { UnreadableMemory } from './foreign-reader.ts';
import { LayoutError } from './layout-error.ts';
import type { ReadMemory } from './read-memory.ts';
import { readScattered } from './scattered-memory.ts';

export interface VmTables {
  readonly fields: readonly Row[];
  readonly types: readonly Row[];
  readonly intConstants: readonly Row[];
  readonly longConstants: readonly Row[];
}

export interface Row {
  /** What a column points to; empty for null. */
  text(column: string): string;
  u64(column: string): bigint;
  i32(column: string): number;
}

/** Exported symbols that begin otherwise are not needed. */
export const VM_TABLES_PREFIX = 'gHotSpotVM';

/** A column's offset is in the symbol `prefix` + name + "Offset". The first one is null in the row that closes the table. */
interface Table {
  readonly rows: string;
  readonly prefix: string;
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
}

// hotspot/share/runtime/vmStructs.hpp and .cpp
const FIELDS = {
  rows: 'gHotSpotVMStructs',
  prefix: 'gHotSpotVMStructEntry',
  texts: ['TypeName', 'FieldName', 'TypeString'],
  numbers: ['IsStatic', 'Offset', 'Address'],
};
const TYPES = {
  rows: 'gHotSpotVMTypes',
  prefix: 'gHotSpotVMTypeEntry',
  texts: ['TypeName'],
  numbers: ['Size'],
};
const INT_CONSTANTS = {
  rows: 'gHotSpotVMIntConstants',
  prefix: 'gHotSpotVMIntConstantEntry',
  texts: ['Name'],
  numbers: ['Value'],
};
const LONG_CONSTANTS = {
  rows: 'gHotSpotVMLongConstants',
  prefix: 'gHotSpotVMLongConstantEntry',
  texts: ['Name'],
  numbers: ['Value'],
};
const TABLES: readonly Table[] = [FIELDS, TYPES, INT_CONSTANTS, LONG_CONSTANTS];

const POINTER_BYTES = 8;
const MAX_STRIDE_BYTES = 256; // longest seen: 48
const MAX_ROWS = 8192; // longest seen: 813, the fields of JDK 21
const MAX_TEXT_BYTES = 256; // longest seen: 122
const PIECE_BYTES = 64 * 1024; // the longest table seen, 39 KB, in one read
const MIN_PIECE_BYTES = 512; // a table may lie at the very end of its mapping

/** `exports`: addresses of the file by name. The process adds `bias`. Throws LayoutError and UnreadableMemory. */
export function readVmTables(read: ReadMemory, exports: ReadonlyMap<string, bigint>, bias: bigint): VmTables {
  const symbolValue = readSymbols(read, exports, bias);
  const shapes = TABLES.map((table) => shapeOf(table, symbolValue));
  const rows = shapes.map((shape) => readRows(read, shape));
  const pointers = shapes.flatMap((shape, i) => textPointers(shape, rows[i] ?? []));
  const textAt = readTexts(read, new Set(pointers));
  const [fields = [], types = [], intConstants = [], longConstants = []] = shapes.map((shape, i) =>
    (rows[i] ?? []).map((row) => namedRow(shape, row, textAt)),
  );
  return { fields, types, intConstants, longConstants };
}

interface Shape {
  readonly name: string;
  readonly address: bigint;
  readonly stride: number;
  readonly offsets: ReadonlyMap<string, number>;
  readonly texts: readonly string[];
}

function readSymbols(
  read: ReadMemory,
  exports: ReadonlyMap<string, bigint>,
  bias: bigint,
): (symbol: string) => bigint {
  const symbols = TABLES.flatMap(symbolsOf);
  const missing = symbols.find((symbol) => !exports.has(symbol));
  if (missing !== undefined) throw new LayoutError('NotHotSpot', `libjvm does not export ${missing}`);
  const addressOf = (symbol: string) => bias + (exports.get(symbol) ?? 0n);
  const memory = readScattered(read, symbols.map(addressOf), POINTER_BYTES);
  return (symbol) => {
    const bytes = memory.from(addressOf(symbol));
    if (!bytes || bytes.length < POINTER_BYTES) throw new UnreadableMemory(addressOf(symbol), POINTER_BYTES);
    return littleEndian(bytes).u64(0);
  };
}

function symbolsOf(table: Table): string[] {
  const columns = [...table.texts, ...table.numbers].map((column) => `${table.prefix}${column}Offset`);
  return [table.rows, `${table.prefix}ArrayStride`, ...columns];
}

function shapeOf(table: Table, symbolValue: (symbol: string) => bigint): Shape {
  const stride = Number(symbolValue(`${table.prefix}ArrayStride`));
  const address = symbolValue(table.rows);
  if (stride === 0 || address === 0n) {
    throw new LayoutError('JvmStarting', `${table.rows} is not set yet: libjvm is being loaded`);
  }
  if (stride > MAX_STRIDE_BYTES || stride % POINTER_BYTES !== 0) {
    throw new LayoutError('LayoutOdd', `rows of ${table.rows} are said to have ${stride} bytes`);
  }
  const columns = [...table.texts, ...table.numbers];
  const offsets = new Map(
    columns.map((column) => [column, Number(symbolValue(`${table.prefix}${column}Offset`))]),
  );
  for (const [column, offset] of offsets) {
    if (offset + POINTER_BYTES > stride) {
      throw new LayoutError(
        'LayoutOdd',
        `${column} of ${table.rows} is said to lie at ${offset} of ${stride} bytes`,
      );
    }
  }
  return { name: table.rows, address, stride, offsets, texts: table.texts };
}

/** Up to the row that begins with null. */
function readRows(read: ReadMemory, shape: Shape): Fields[] {
  const rows: Fields[] = [];
  const first = shape.offsets.get(shape.texts[0] ?? '') ?? 0;
  while (rows.length < MAX_ROWS) {
    const from = shape.address + BigInt(rows.length * shape.stride);
    const piece = readPiece(read, from, shape);
    for (let at = 0; at + shape.stride <= piece.length; at += shape.stride) {
      const row = littleEndian(piece.subarray(at, at + shape.stride));
      if (row.u64(first) === 0n) return rows;
      rows.push(row);
    }
  }
  throw new LayoutError('LayoutOdd', `${shape.name} has no end within ${MAX_ROWS} rows`);
}

function readPiece(read: ReadMemory, address: bigint, { stride }: Shape): Uint8Array {
  for (let length = PIECE_BYTES; length >= Math.max(stride, MIN_PIECE_BYTES); length /= 2) {
    const piece = read(address, length);
    if (piece) return piece;
  }
  throw new UnreadableMemory(address, stride);
}

function textPointers(shape: Shape, rows: readonly Fields[]): bigint[] {
  const columns = shape.texts.map((column) => shape.offsets.get(column) ?? 0);
  return rows.flatMap((row) => columns.map((column) => row.u64(column))).filter((pointer) => pointer !== 0n);
}

/** The strings of libjvm lie together: all of them come in a few reads. */
function readTexts(read: ReadMemory, pointers: ReadonlySet<bigint>): (pointer: bigint) => string {
  const memory = readScattered(read, [...pointers], MAX_TEXT_BYTES);
  const texts = new Map<bigint, string>([[0n, '']]);
  return (pointer) => {
    const known = texts.get(pointer);
    if (known !== undefined) return known;
    const bytes = memory.from(pointer)?.subarray(0, MAX_TEXT_BYTES);
    const end = bytes?.indexOf(0) ?? -1;
    if (!bytes || end < 0) throw new UnreadableMemory(pointer, MAX_TEXT_BYTES);
    const text = String.fromCharCode(...bytes.subarray(0, end));
    texts.set(pointer, text);
    return text;
  };
}

function namedRow(shape: Shape, row: Fields, textAt: (pointer: bigint) => string): Row {
  const offsetOf = (column: string) => shape.offsets.get(column) ?? 0;
  return {
    text: (column) => textAt(row.u64(offsetOf(column))),
    u64: (column) => row.u64(offsetOf(column)),
    i32: (column) => row.i32(offsetOf(column)),
  };
}
