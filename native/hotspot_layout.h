#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// Where things are in one HotSpot process, as src/jvm found it in the process's own vmStructs: the same
/// names in the same order are in src/jvm/unwind-layout.ts, which hands the values over as one BigInt64Array.
///
/// Names are HotSpot's own. A field named for a member is its byte offset; `_size` of a type is sizeof;
/// `_width` is the bytes an integer member has; `_address` and the names of statics are absolute addresses in
/// the process; -1 means that this JVM has no such thing. Where releases differ (a pointer up to 22, an
/// offset later), both forms are fields and one of them is -1.
#define FLAMEGATE_HOTSPOT_LAYOUT(FIELD)                                                                      \
  /* Code heaps. */                                                                                          \
  FIELD(code_cache_heaps)    /* address of the static CodeCache::_heaps (GrowableArray<CodeHeap*>*) */       \
  FIELD(growable_array_len)  /* int */                                                                       \
  FIELD(growable_array_data) /* pointer */                                                                   \
  FIELD(code_heap_memory_low_boundary)  /* CodeHeap::_memory + VirtualSpace::_low_boundary */                \
  FIELD(code_heap_memory_high_boundary) /* CodeHeap::_memory + VirtualSpace::_high_boundary */               \
  FIELD(code_heap_segmap_low_boundary)  /* CodeHeap::_segmap + VirtualSpace::_low_boundary */                \
  FIELD(code_heap_log2_segment_size)    /* int */                                                            \
  FIELD(heap_block_size)                /* sizeof: the header before a blob */                               \
  /* Code blobs. */                                                                                          \
  FIELD(code_blob_name)       /* pointer to a C string */                                                    \
  FIELD(code_blob_size)       /* int */                                                                      \
  FIELD(code_blob_frame_size) /* int, in words */                                                            \
  FIELD(code_blob_frame_complete_offset)                                                                     \
  FIELD(code_blob_frame_complete_width) /* 4, or 2 from 23 on */                                             \
  FIELD(code_blob_code_begin)           /* pointer, up to 22 */                                              \
  FIELD(code_blob_code_end)             /* pointer, up to 22 */                                              \
  FIELD(code_blob_code_offset)          /* int from the blob's start, from 23 on */                          \
  FIELD(code_blob_data_offset)          /* int from the blob's start: the end of the code, from 23 on */     \
  FIELD(code_blob_mutable_data)         /* pointer, from 25 on */                                            \
  FIELD(code_blob_relocation_size)      /* int: metadata follow in the mutable data, from 25 on */           \
  FIELD(code_blob_oop_maps)             /* pointer to an ImmutableOopMapSet, or null */                      \
  FIELD(immutable_oop_map_set_count)    /* int: one for each safepoint */                                    \
  /* Compiled methods. Offsets of the CompiledMethod that releases up to 22 have are here too. */            \
  FIELD(nmethod_size)                                                                                        \
  FIELD(nmethod_method)                                                                                      \
  FIELD(nmethod_compile_id)                                                                                  \
  FIELD(nmethod_orig_pc_offset)                                                                              \
  FIELD(nmethod_deopt_handler_begin)     /* pointer, up to 22 */                                             \
  FIELD(nmethod_deopt_mh_handler_begin)  /* pointer, up to 22 */                                             \
  FIELD(nmethod_deopt_handler_offset)    /* int from the nmethod's start; 26 calls it _entry_offset */       \
  FIELD(nmethod_deopt_mh_handler_offset) /* int from the nmethod's start */                                  \
  FIELD(nmethod_scopes_data_begin)       /* pointer, up to 22 */                                             \
  FIELD(nmethod_scopes_data_offset)      /* int from the immutable data, from 23 on */                       \
  FIELD(nmethod_scopes_pcs_offset)       /* int from the nmethod or, from 23 on, from the immutable data */  \
  FIELD(nmethod_dependencies_offset)     /* int from the nmethod: the end of the PcDescs, up to 22 */        \
  FIELD(nmethod_immutable_data)          /* pointer, from 23 on */                                           \
  FIELD(nmethod_immutable_data_size)     /* int, from 23 on */                                               \
  FIELD(nmethod_metadata_offset)         /* from the nmethod, up to 22; from the data, 23 and 24 */          \
  FIELD(nmethod_metadata_width)          /* 4, or 2 in 23 and 24 */                                          \
  FIELD(pc_desc_size)                                                                                        \
  FIELD(pc_desc_pc_offset)           /* int */                                                               \
  FIELD(pc_desc_scope_decode_offset) /* int */                                                               \
  FIELD(unsigned5_excluded)          /* 1 where UNSIGNED5 never writes a zero byte (20 and later), else 0 */ \
  /* Methods and their names. */                                                                             \
  FIELD(method_const_method)                                                                                 \
  FIELD(const_method_size) /* sizeof: the bytecodes follow, then the compressed line table */                \
  FIELD(const_method_constants)                                                                              \
  FIELD(const_method_code_size)       /* u2 */                                                               \
  FIELD(const_method_name_index)      /* u2 */                                                               \
  FIELD(const_method_signature_index) /* u2 */                                                               \
  FIELD(const_method_flags)                                                                                  \
  FIELD(const_method_flags_width)          /* 2, or 4 from 21 on */                                          \
  FIELD(const_method_has_linenumber_table) /* the bit in the flags */                                        \
  FIELD(constant_pool_size)                /* sizeof: the slots of 8 bytes follow */                         \
  FIELD(constant_pool_length)              /* int */                                                         \
  FIELD(constant_pool_pool_holder)                                                                           \
  FIELD(constant_pool_source_file_name_index) /* u2 */                                                       \
  FIELD(klass_name)                                                                                          \
  FIELD(symbol_length) /* u2 */                                                                              \
  FIELD(symbol_body)                                                                                         \
  /* Threads. */                                                                                             \
  FIELD(java_thread_list)                /* address of the static ThreadsSMRSupport::_java_thread_list */    \
  FIELD(threads_list_length)             /* uint */                                                          \
  FIELD(threads_list_threads)            /* pointer */                                                       \
  FIELD(java_thread_anchor_last_java_sp) /* JavaThread::_anchor + JavaFrameAnchor::_last_Java_sp */          \
  FIELD(java_thread_anchor_last_java_pc)                                                                     \
  FIELD(java_thread_anchor_last_java_fp)                                                                     \
  FIELD(java_thread_stack_base) /* the highest address */                                                    \
  FIELD(java_thread_stack_size)                                                                              \
  FIELD(java_thread_cont_entry)                                                                              \
  FIELD(continuation_entry_size)                                                                             \
  FIELD(continuation_entry_return_pc) /* the value of the static ContinuationEntry::_return_pc */            \
  /* Frames. */                                                                                              \
  FIELD(call_stub_return_address)        /* the value of StubRoutines::_call_stub_return_address */          \
  FIELD(entry_frame_call_wrapper_offset) /* words from the frame pointer */                                  \
  FIELD(                                                                                                     \
      java_call_wrapper_anchor_last_java_sp) /* JavaCallWrapper::_anchor + JavaFrameAnchor::_last_Java_sp */ \
  FIELD(java_call_wrapper_anchor_last_java_pc)                                                               \
  FIELD(java_call_wrapper_anchor_last_java_fp)                                                               \
  FIELD(interpreter_frame_sender_sp_offset) /* words from the frame pointer */                               \
  FIELD(interpreter_frame_last_sp_offset)   /* words from the frame pointer */                               \
  /* What tells that the heap stood still. */                                                                \
  FIELD(total_collections_address) /* unsigned int: Universe::_collectedHeap → _total_collections */       \
  FIELD(is_gc_active_address)      /* bool: _is_gc_active, or _is_stw_gc_active from 21 on */

namespace flamegate {

struct HotspotLayout {
#define FIELD(name) int64_t name = -1;
  FLAMEGATE_HOTSPOT_LAYOUT(FIELD)
#undef FIELD
};

#define FIELD(name) #name,
inline constexpr std::array kHotspotLayoutNames = {FLAMEGATE_HOTSPOT_LAYOUT(FIELD)};
#undef FIELD
static_assert(sizeof(HotspotLayout) == kHotspotLayoutNames.size() * sizeof(int64_t),
              "one array of numbers, as it is handed over");

/// From as many numbers as there are names, in their order.
HotspotLayout LayoutOf(std::span<const int64_t> numbers);

/// The name of a field whose value no JVM can have, or null: buffers and loops rely on this.
const char* FaultIn(const HotspotLayout& layout);

}  // namespace flamegate
