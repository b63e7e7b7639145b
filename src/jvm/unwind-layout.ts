/**
 * What the addon has to know of a JVM to unwind its threads, in one table of numbers: the same names in the same order as
 * in native/hotspot_layout.h, which says what each of them means.
 */
export const UNWIND_FIELDS = [
  'code_cache_heaps',
  'growable_array_len',
  'growable_array_data',
  'code_heap_memory_low_boundary',
  'code_heap_memory_high_boundary',
  'code_heap_segmap_low_boundary',
  'code_heap_log2_segment_size',
  'heap_block_size',
  'code_blob_name',
  'code_blob_size',
  'code_blob_frame_size',
  'code_blob_frame_complete_offset',
  'code_blob_frame_complete_width',
  'code_blob_code_begin',
  'code_blob_code_end',
  'code_blob_code_offset',
  'code_blob_data_offset',
  'code_blob_mutable_data',
  'code_blob_relocation_size',
  'nmethod_size',
  'nmethod_method',
  'nmethod_compile_id',
  'nmethod_orig_pc_offset',
  'nmethod_deopt_handler_begin',
  'nmethod_deopt_mh_handler_begin',
  'nmethod_deopt_handler_offset',
  'nmethod_deopt_mh_handler_offset',
  'nmethod_scopes_data_begin',
  'nmethod_scopes_data_offset',
  'nmethod_scopes_pcs_offset',
  'nmethod_dependencies_offset',
  'nmethod_immutable_data',
  'nmethod_immutable_data_size',
  'nmethod_metadata_offset',
  'nmethod_metadata_width',
  'pc_desc_size',
  'pc_desc_pc_offset',
  'pc_desc_scope_decode_offset',
  'unsigned5_excluded',
  'method_const_method',
  'const_method_size',
  'const_method_constants',
  'const_method_code_size',
  'const_method_name_index',
  'const_method_signature_index',
  'const_method_flags',
  'const_method_flags_width',
  'const_method_has_linenumber_table',
  'constant_pool_size',
  'constant_pool_length',
  'constant_pool_pool_holder',
  'constant_pool_source_file_name_index',
  'klass_name',
  'symbol_length',
  'symbol_body',
  'java_thread_list',
  'threads_list_length',
  'threads_list_threads',
  'java_thread_anchor_last_java_sp',
  'java_thread_anchor_last_java_pc',
  'java_thread_anchor_last_java_fp',
  'java_thread_stack_base',
  'java_thread_stack_size',
  'java_thread_cont_entry',
  'continuation_entry_size',
  'continuation_entry_return_pc',
  'call_stub_return_address',
  'entry_frame_call_wrapper_offset',
  'java_call_wrapper_anchor_last_java_sp',
  'java_call_wrapper_anchor_last_java_pc',
  'java_call_wrapper_anchor_last_java_fp',
  'interpreter_frame_sender_sp_offset',
  'interpreter_frame_last_sp_offset',
  'total_collections_address',
  'is_gc_active_address',
] as const;

export type UnwindField = (typeof UNWIND_FIELDS)[number];

/** Fields that are not in it are not in the JVM. */
export type UnwindLayout = ReadonlyMap<UnwindField, bigint>;

const ABSENT = -1n;

/** As the addon takes it. */
export function flatUnwindLayout(layout: UnwindLayout): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(UNWIND_FIELDS, (field) => layout.get(field) ?? ABSENT);
}
