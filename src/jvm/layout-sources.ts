/** Where each number of the unwind layout stands in vmStructs. docs/jvm-layouts.md says what changed in which JDK. */
import { LayoutError } from './layout-error.ts';
import type { UnwindField } from './unwind-layout.ts';
import type { VmStructs } from './vm-structs.ts';

/** The tables of a JVM, and what its static fields hold now. */
export interface LivingVm {
  readonly structs: VmStructs;
  /** Eight bytes of a static field; undefined if there is none of that name. Throws UnreadableMemory. */
  valueOf(type: string, name: string): bigint | undefined;
}

/** Undefined when this JVM has no such thing. */
type Source = (vm: LivingVm) => bigint | undefined;
type Name = readonly [type: string, field: string];

const INTEGER_WIDTHS: ReadonlyMap<string, bigint> = new Map([
  ['int', 4n],
  ['u4', 4n],
  ['int16_t', 2n],
  ['u2', 2n],
]);
const FIRST_MAJOR_WITHOUT_ZERO_BYTES = 20n;

export const LAYOUT_SOURCES: Readonly<Record<UnwindField, Source>> = {
  code_cache_heaps: address('CodeCache', '_heaps'),
  growable_array_len: offset(['GrowableArrayBase', '_len']),
  growable_array_data: offset(['GrowableArray<int>', '_data']),
  code_heap_memory_low_boundary: inside(['CodeHeap', '_memory'], ['VirtualSpace', '_low_boundary']),
  code_heap_memory_high_boundary: inside(['CodeHeap', '_memory'], ['VirtualSpace', '_high_boundary']),
  code_heap_segmap_low_boundary: inside(['CodeHeap', '_segmap'], ['VirtualSpace', '_low_boundary']),
  code_heap_log2_segment_size: offset(['CodeHeap', '_log2_segment_size']),
  heap_block_size: size('HeapBlock'),
  code_blob_name: offset(['CodeBlob', '_name']),
  code_blob_size: offset(['CodeBlob', '_size']),
  code_blob_frame_size: offset(['CodeBlob', '_frame_size']),
  code_blob_frame_complete_offset: offset(['CodeBlob', '_frame_complete_offset']),
  code_blob_frame_complete_width: width(['CodeBlob', '_frame_complete_offset']),
  code_blob_code_begin: offset(['CodeBlob', '_code_begin']),
  code_blob_code_end: offset(['CodeBlob', '_code_end']),
  code_blob_code_offset: offset(['CodeBlob', '_code_offset']),
  code_blob_data_offset: offset(['CodeBlob', '_data_offset']),
  code_blob_mutable_data: offset(['CodeBlob', '_mutable_data']),
  code_blob_relocation_size: offset(['CodeBlob', '_relocation_size']),
  code_blob_oop_maps: offset(['CodeBlob', '_oop_maps']),
  immutable_oop_map_set_count: offset(['ImmutableOopMapSet', '_count']),
  nmethod_size: size('nmethod'),
  nmethod_method: offset(['nmethod', '_method'], ['CompiledMethod', '_method']),
  nmethod_compile_id: offset(['nmethod', '_compile_id']),
  nmethod_orig_pc_offset: offset(['nmethod', '_orig_pc_offset']),
  nmethod_deopt_handler_begin: offset(['CompiledMethod', '_deopt_handler_begin']),
  nmethod_deopt_mh_handler_begin: offset(['CompiledMethod', '_deopt_mh_handler_begin']),
  nmethod_deopt_handler_offset: offset(
    ['nmethod', '_deopt_handler_offset'],
    ['nmethod', '_deopt_handler_entry_offset'],
  ),
  nmethod_deopt_mh_handler_offset: offset(['nmethod', '_deopt_mh_handler_offset']),
  nmethod_scopes_data_begin: offset(['CompiledMethod', '_scopes_data_begin']),
  nmethod_scopes_data_offset: offset(['nmethod', '_scopes_data_offset']),
  nmethod_scopes_pcs_offset: offset(['nmethod', '_scopes_pcs_offset']),
  nmethod_dependencies_offset: offset(['nmethod', '_dependencies_offset']),
  nmethod_immutable_data: offset(['nmethod', '_immutable_data']),
  nmethod_immutable_data_size: offset(['nmethod', '_immutable_data_size']),
  nmethod_metadata_offset: offset(['nmethod', '_metadata_offset']),
  nmethod_metadata_width: width(['nmethod', '_metadata_offset']),
  pc_desc_size: size('PcDesc'),
  pc_desc_pc_offset: offset(['PcDesc', '_pc_offset']),
  pc_desc_scope_decode_offset: offset(['PcDesc', '_scope_decode_offset']),
  unsigned5_excluded: unsigned5Excluded,
  method_const_method: offset(['Method', '_constMethod']),
  const_method_size: size('ConstMethod'),
  const_method_constants: offset(['ConstMethod', '_constants']),
  const_method_code_size: offset(['ConstMethod', '_code_size']),
  const_method_name_index: offset(['ConstMethod', '_name_index']),
  const_method_signature_index: offset(['ConstMethod', '_signature_index']),
  const_method_flags: offset(['ConstMethod', '_flags._flags'], ['ConstMethod', '_flags']),
  const_method_flags_width: width(['ConstMethod', '_flags._flags'], ['ConstMethod', '_flags']),
  const_method_has_linenumber_table: constant(
    'ConstMethodFlags::_misc_has_linenumber_table',
    'ConstMethod::_has_linenumber_table',
  ),
  constant_pool_size: size('ConstantPool'),
  constant_pool_length: offset(['ConstantPool', '_length']),
  constant_pool_pool_holder: offset(['ConstantPool', '_pool_holder']),
  constant_pool_source_file_name_index: offset(['ConstantPool', '_source_file_name_index']),
  klass_name: offset(['Klass', '_name']),
  symbol_length: offset(['Symbol', '_length']),
  symbol_body: offset(['Symbol', '_body']),
  java_thread_list: address('ThreadsSMRSupport', '_java_thread_list'),
  threads_list_length: offset(['ThreadsList', '_length']),
  threads_list_threads: offset(['ThreadsList', '_threads']),
  java_thread_anchor_last_java_sp: inside(['JavaThread', '_anchor'], ['JavaFrameAnchor', '_last_Java_sp']),
  java_thread_anchor_last_java_pc: inside(['JavaThread', '_anchor'], ['JavaFrameAnchor', '_last_Java_pc']),
  java_thread_anchor_last_java_fp: inside(['JavaThread', '_anchor'], ['JavaFrameAnchor', '_last_Java_fp']),
  java_thread_stack_base: offset(['JavaThread', '_stack_base'], ['Thread', '_stack_base']),
  java_thread_stack_size: offset(['JavaThread', '_stack_size'], ['Thread', '_stack_size']),
  java_thread_cont_entry: offset(['JavaThread', '_cont_entry']),
  continuation_entry_size: size('ContinuationEntry'),
  continuation_entry_return_pc: returnPcOfContinuations,
  call_stub_return_address: (vm) => vm.valueOf('StubRoutines', '_call_stub_return_address'),
  entry_frame_call_wrapper_offset: constant('frame::entry_frame_call_wrapper_offset'),
  java_call_wrapper_anchor_last_java_sp: inside(
    ['JavaCallWrapper', '_anchor'],
    ['JavaFrameAnchor', '_last_Java_sp'],
  ),
  java_call_wrapper_anchor_last_java_pc: inside(
    ['JavaCallWrapper', '_anchor'],
    ['JavaFrameAnchor', '_last_Java_pc'],
  ),
  java_call_wrapper_anchor_last_java_fp: inside(
    ['JavaCallWrapper', '_anchor'],
    ['JavaFrameAnchor', '_last_Java_fp'],
  ),
  interpreter_frame_sender_sp_offset: constant('frame::interpreter_frame_sender_sp_offset'),
  interpreter_frame_last_sp_offset: constant('frame::interpreter_frame_last_sp_offset'),
  total_collections_address: inCollectedHeap('_total_collections'),
  is_gc_active_address: inCollectedHeap('_is_stw_gc_active', '_is_gc_active'),
};

/** Of the first of the names that this JVM has. */
function offset(...names: readonly Name[]): Source {
  return ({ structs }) => bigOrNone(names.map((name) => structs.field(...name)?.offset).find(isThere));
}

/** A member of a member. */
function inside(outer: Name, inner: Name): Source {
  return ({ structs }) => {
    const [from, more] = [structs.field(...outer), structs.field(...inner)];
    return from && more && BigInt(from.offset + more.offset);
  };
}

function width(...names: readonly Name[]): Source {
  return ({ structs }) => {
    const field = names.map((name) => structs.field(...name)).find(isThere);
    if (!field) return undefined;
    const bytes = INTEGER_WIDTHS.get(field.type);
    if (bytes !== undefined) return bytes;
    throw new LayoutError('LayoutOdd', `${names.join(' or ')} is a ${field.type}: no integer that is known`);
  };
}

function size(type: string): Source {
  return ({ structs }) => bigOrNone(structs.size(type));
}

function address(type: string, name: string): Source {
  return ({ structs }) => structs.address(type, name);
}

function constant(...names: readonly string[]): Source {
  return ({ structs }) => names.map((name) => structs.constant(name)).find(isThere);
}

/** Zero until the first virtual thread has run. */
function returnPcOfContinuations(vm: LivingVm): bigint | undefined {
  return vm.valueOf('ContinuationEntry', '_return_pc') || undefined;
}

/** The heap object itself is made once and never moves. */
function inCollectedHeap(...fields: readonly string[]): Source {
  return (vm) => {
    const field = fields.map((name) => vm.structs.field('CollectedHeap', name)).find(isThere);
    const heap = vm.valueOf('Universe', '_collectedHeap');
    if (heap === 0n) throw new LayoutError('JvmStarting', 'Universe::_collectedHeap is not set yet');
    return field && heap && heap + BigInt(field.offset);
  };
}

/** How bytes are coded is in no table, so this one goes by version (hotspot/share/utilities/unsigned5.hpp, new in 20). */
function unsigned5Excluded(vm: LivingVm): bigint | undefined {
  const major = vm.valueOf('Abstract_VM_Version', '_vm_major_version');
  if (major === undefined) return undefined;
  return BigInt.asUintN(32, major) >= FIRST_MAJOR_WITHOUT_ZERO_BYTES ? 1n : 0n;
}

function bigOrNone(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
