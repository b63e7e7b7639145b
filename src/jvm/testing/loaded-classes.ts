/** For tests: classes of a JVM by name, and their methods as the addon hands them over. */
import assert from 'node:assert/strict';
import { type ForeignReader, foreignReader } from '../foreign-reader.ts';
import type { JavaMethod } from '../java-frame.ts';
import type { ReadMemory } from '../read-memory.ts';
import type { UnwindField, UnwindLayout } from '../unwind-layout.ts';
import type { VmStructs } from '../vm-structs.ts';

const MAX_LOADERS = 1000;
const MAX_CLASSES = 20_000;
const MAX_LINE_TABLE_BYTES = 4096;

/** Address of its InstanceKlass, by way of the class loaders. */
export function loadedClass(read: ReadMemory, structs: VmStructs, wanted: string): bigint {
  const memory = foreignReader(read);
  const offset = (type: string, field: string) =>
    BigInt(structs.field(type, field)?.offset ?? assert.fail(field));
  const nameOf = (klass: bigint) => symbolText(memory, memory.pointer(klass + offset('Klass', '_name')));
  let loader = memory.pointer(structs.address('ClassLoaderDataGraph', '_head') ?? assert.fail());
  for (let i = 0; loader !== 0n && i < MAX_LOADERS; i++) {
    let klass = memory.pointer(loader + offset('ClassLoaderData', '_klasses'));
    for (let j = 0; klass !== 0n && j < MAX_CLASSES; j++) {
      if (nameOf(klass) === wanted) return klass;
      klass = memory.pointer(klass + offset('Klass', '_next_link'));
    }
    loader = memory.pointer(loader + offset('ClassLoaderData', '_next'));
  }
  assert.fail(`${wanted} is not loaded`);
}

export interface LoadedMethod extends JavaMethod {
  readonly signature: string;
}

/** What the class declares. */
export function methodsOf(
  read: ReadMemory,
  { structs, layout }: { structs: VmStructs; layout: UnwindLayout },
  klass: bigint,
): LoadedMethod[] {
  const memory = foreignReader(read);
  const methods = memory.pointer(
    klass + BigInt(structs.field('InstanceKlass', '_methods')?.offset ?? assert.fail()),
  );
  const pointers = memory.record(methods + 8n, memory.i32(methods) * 8);
  return Array.from({ length: memory.i32(methods) }, (_, i) => methodAt(memory, layout, pointers.u64(8 * i)));
}

function methodAt(memory: ForeignReader, layout: UnwindLayout, method: bigint): LoadedMethod {
  const at = (field: UnwindField) => layout.get(field) ?? assert.fail(field);
  const constMethod = memory.pointer(method + at('method_const_method'));
  const pool = memory.pointer(constMethod + at('const_method_constants'));
  const symbolAt = (index: number) =>
    symbolText(memory, memory.pointer(pool + at('constant_pool_size') + 8n * BigInt(index)) & ~1n);
  const indexAt = (field: UnwindField) => memory.u16(constMethod + at(field));
  const holder = memory.pointer(pool + at('constant_pool_pool_holder'));
  const bytecodes = constMethod + at('const_method_size');
  const hasLines = (BigInt(indexAt('const_method_flags')) & at('const_method_has_linenumber_table')) !== 0n;
  const sourceFile = memory.u16(pool + at('constant_pool_source_file_name_index'));
  return {
    holder: symbolText(memory, memory.pointer(holder + at('klass_name'))),
    name: symbolAt(indexAt('const_method_name_index')),
    signature: symbolAt(indexAt('const_method_signature_index')),
    sourceFile: sourceFile === 0 ? '' : symbolAt(sourceFile),
    lineTable: hasLines
      ? memory.bytes(bytecodes + BigInt(indexAt('const_method_code_size')), MAX_LINE_TABLE_BYTES)
      : new Uint8Array(),
  };
}

/** The layout of Symbol is the same in all releases tested. */
function symbolText(memory: ForeignReader, symbol: bigint): string {
  return Buffer.from(memory.bytes(symbol + 6n, memory.u16(symbol + 4n))).toString('utf8');
}
