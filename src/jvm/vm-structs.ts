/**
 * What HotSpot tells of its own data structures, for its serviceability agent. A field is there or it is not: nothing
 * here knows versions.
 */
import type { ReadMemory } from './read-memory.ts';
import { readVmTables, type VmTables } from './vm-tables.ts';

export interface VmStructs {
  /** Where instances have the field, and its C++ type; undefined if this JVM has none of that name. */
  field(type: string, name: string): InstanceField | undefined;
  /** Address of a static field in the process. */
  address(type: string, name: string): bigint | undefined;
  /** Bytes of an instance. */
  size(type: string): number | undefined;
  constant(name: string): bigint | undefined;
}

export interface InstanceField {
  readonly offset: number;
  readonly type: string;
}

/** `exports`: addresses of libjvm's exported symbols, of the file; the process adds `bias`. Throws LayoutError and UnreadableMemory. */
export function readVmStructs(
  read: ReadMemory,
  exports: ReadonlyMap<string, bigint>,
  bias: bigint,
): VmStructs {
  return structsOf(readVmTables(read, exports, bias));
}

function structsOf(tables: VmTables): VmStructs {
  const fields = new Map<string, InstanceField>();
  const statics = new Map<string, bigint>();
  for (const row of tables.fields) {
    const key = keyOf(row.text('TypeName'), row.text('FieldName'));
    if (row.i32('IsStatic') !== 0) statics.set(key, row.u64('Address'));
    else fields.set(key, { offset: Number(row.u64('Offset')), type: row.text('TypeString') });
  }
  const sizes = new Map(tables.types.map((row) => [row.text('TypeName'), Number(row.u64('Size'))]));
  const constants = new Map([
    ...tables.intConstants.map((row) => [row.text('Name'), BigInt(row.i32('Value'))] as const),
    ...tables.longConstants.map((row) => [row.text('Name'), row.u64('Value')] as const),
  ]);
  return {
    field: (type, name) => fields.get(keyOf(type, name)),
    address: (type, name) => statics.get(keyOf(type, name)),
    size: (type) => sizes.get(type),
    constant: (name) => constants.get(name),
  };
}

function keyOf(type: string, name: string): string {
  return `${type}::${name}`;
}
