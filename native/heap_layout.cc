#include "heap_layout.h"

#include <algorithm>

namespace flamegate {
namespace {

// Members of a class's description lie below 500 bytes.
constexpr int64_t kMaxOffset = 64 << 10;
constexpr int64_t kMaxNarrowShift = 10;  // of classes with compact headers; references have 3
constexpr int64_t kMarkBits = 64;

bool IsWithin(int64_t value, int64_t most) {
  return value >= 0 && value <= most;
}

}  // namespace

HeapLayout HeapLayoutOf(std::span<const int64_t> numbers) {
  HeapLayout layout;
  std::copy(numbers.begin(), numbers.end(), reinterpret_cast<int64_t*>(&layout));
  return layout;
}

const char* FaultIn(const HeapLayout& layout) {
  bool is_narrow_oop = layout.narrow_oop_base != -1;
  if (is_narrow_oop && !IsWithin(layout.narrow_oop_shift, kMaxNarrowShift)) return "narrow_oop_shift";
  bool is_narrow_klass = layout.narrow_klass_base != -1;
  if (is_narrow_klass && !IsWithin(layout.narrow_klass_shift, kMaxNarrowShift)) return "narrow_klass_shift";
  bool is_in_mark = layout.mark_klass_shift != -1;
  if (is_in_mark && !(is_narrow_klass && IsWithin(layout.mark_klass_shift, kMarkBits - 1)))
    return "mark_klass_shift";
  if (!is_in_mark && !IsWithin(layout.object_klass, kMaxOffset)) return "object_klass";
  if (!IsWithin(layout.klass_super, kMaxOffset)) return "klass_super";
  if (!IsWithin(layout.instance_klass_constants, kMaxOffset)) return "instance_klass_constants";
  bool has_stream = layout.instance_klass_fieldinfo_stream != -1;
  if (has_stream)
    return IsWithin(layout.instance_klass_fieldinfo_stream, kMaxOffset) ? nullptr
                                                                        : "instance_klass_fieldinfo_stream";
  if (!IsWithin(layout.instance_klass_fields, kMaxOffset)) return "instance_klass_fields";
  if (!IsWithin(layout.instance_klass_java_fields_count, kMaxOffset))
    return "instance_klass_java_fields_count";
  return nullptr;
}

}  // namespace flamegate
