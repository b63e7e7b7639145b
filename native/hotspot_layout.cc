#include "hotspot_layout.h"

#include <algorithm>
#include <iterator>

namespace flamegate {
namespace {

// Members of the largest types, JavaThread and JavaCallWrapper, lie below 3 KB.
constexpr int64_t kMaxOffset = 64 << 10;
// The unwinder's buffers for headers.
constexpr int64_t kMaxHeader = 256;
constexpr int64_t kMaxBlobHeader = 1024;

// What every HotSpot of 17 and later has.
constexpr int64_t HotspotLayout::*kRequired[] = {
    &HotspotLayout::code_cache_heaps,
    &HotspotLayout::growable_array_len,
    &HotspotLayout::growable_array_data,
    &HotspotLayout::code_heap_memory_low_boundary,
    &HotspotLayout::code_heap_memory_high_boundary,
    &HotspotLayout::code_heap_segmap_low_boundary,
    &HotspotLayout::code_heap_log2_segment_size,
    &HotspotLayout::heap_block_size,
    &HotspotLayout::code_blob_name,
    &HotspotLayout::code_blob_frame_size,
    &HotspotLayout::code_blob_frame_complete_offset,
    &HotspotLayout::code_blob_frame_complete_width,
    &HotspotLayout::nmethod_size,
    &HotspotLayout::nmethod_method,
    &HotspotLayout::nmethod_compile_id,
    &HotspotLayout::nmethod_orig_pc_offset,
    &HotspotLayout::nmethod_scopes_pcs_offset,
    &HotspotLayout::pc_desc_size,
    &HotspotLayout::pc_desc_pc_offset,
    &HotspotLayout::pc_desc_scope_decode_offset,
    &HotspotLayout::unsigned5_excluded,
    &HotspotLayout::method_const_method,
    &HotspotLayout::const_method_size,
    &HotspotLayout::const_method_constants,
    &HotspotLayout::const_method_code_size,
    &HotspotLayout::const_method_name_index,
    &HotspotLayout::const_method_signature_index,
    &HotspotLayout::constant_pool_size,
    &HotspotLayout::constant_pool_length,
    &HotspotLayout::constant_pool_pool_holder,
    &HotspotLayout::klass_name,
    &HotspotLayout::symbol_length,
    &HotspotLayout::symbol_body,
};

constexpr int64_t HotspotLayout::*kAddresses[] = {
    &HotspotLayout::code_cache_heaps,          &HotspotLayout::java_thread_list,
    &HotspotLayout::call_stub_return_address,  &HotspotLayout::continuation_entry_return_pc,
    &HotspotLayout::total_collections_address, &HotspotLayout::is_gc_active_address,
};

// Words from the frame pointer, downward; -1 is a place here, or none at all.
constexpr int64_t HotspotLayout::*kFrameWords[] = {
    &HotspotLayout::entry_frame_call_wrapper_offset,
    &HotspotLayout::interpreter_frame_sender_sp_offset,
    &HotspotLayout::interpreter_frame_last_sp_offset,
};

struct Limit {
  int64_t HotspotLayout::*field;
  int64_t least;
  int64_t most;
};
constexpr Limit kLimits[] = {
    {&HotspotLayout::nmethod_size, 64, kMaxBlobHeader}, {&HotspotLayout::pc_desc_size, 8, kMaxHeader},
    {&HotspotLayout::const_method_size, 8, kMaxHeader}, {&HotspotLayout::constant_pool_size, 8, kMaxHeader},
    {&HotspotLayout::symbol_body, 0, kMaxHeader},       {&HotspotLayout::unsigned5_excluded, 0, 1},
};

template <size_t count>
bool IsOneOf(int64_t HotspotLayout::*const (&list)[count], const HotspotLayout& layout,
             const int64_t* field) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](auto member) { return &(layout.*member) == field; });
}

bool IsSane(const HotspotLayout& layout, const int64_t* field) {
  if (IsOneOf(kFrameWords, layout, field)) return *field > -64 && *field < 0;
  if (*field == -1) return !IsOneOf(kRequired, layout, field);
  if (IsOneOf(kAddresses, layout, field)) return *field > 0;
  for (const Limit& limit : kLimits) {
    if (&(layout.*limit.field) == field) return *field >= limit.least && *field <= limit.most;
  }
  return *field >= 0 && *field <= kMaxOffset;
}

}  // namespace

HotspotLayout LayoutOf(std::span<const int64_t> numbers) {
  HotspotLayout layout;
  std::copy(numbers.begin(), numbers.end(), reinterpret_cast<int64_t*>(&layout));
  return layout;
}

const char* FaultIn(const HotspotLayout& layout) {
  auto* fields = reinterpret_cast<const int64_t*>(&layout);
  for (size_t i = 0; i < kHotspotLayoutNames.size(); i++) {
    if (!IsSane(layout, &fields[i])) return kHotspotLayoutNames[i];
  }
  return nullptr;
}

}  // namespace flamegate
