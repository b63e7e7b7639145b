#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// How one HotSpot process stores objects and describes their classes, as src/jvm/heap-layout.ts found it:
/// the same names in the same order. Rules as in hotspot_layout.h; a base is an address in the process.
#define FLAMEGATE_HEAP_LAYOUT(FIELD)                                         \
  FIELD(narrow_oop_base) /* -1: references are whole pointers */             \
  FIELD(narrow_oop_shift)                                                    \
  FIELD(narrow_klass_base) /* -1: class words are whole pointers */          \
  FIELD(narrow_klass_shift)                                                  \
  FIELD(object_klass)     /* -1: the class is in the mark word */            \
  FIELD(mark_klass_shift) /* of the mark word; -1: the class is not in it */ \
  FIELD(klass_super)                                                         \
  FIELD(instance_klass_constants)                                            \
  FIELD(instance_klass_fieldinfo_stream)  /* Array<u1>*, from 21 on */       \
  FIELD(instance_klass_fields)            /* Array<u2>*, up to 20 */         \
  FIELD(instance_klass_java_fields_count) /* u2, up to 20 */

namespace flamegate {

struct HeapLayout {
#define FIELD(name) int64_t name = -1;
  FLAMEGATE_HEAP_LAYOUT(FIELD)
#undef FIELD
};

#define FIELD(name) #name,
inline constexpr std::array kHeapLayoutNames = {FLAMEGATE_HEAP_LAYOUT(FIELD)};
#undef FIELD
static_assert(sizeof(HeapLayout) == kHeapLayoutNames.size() * sizeof(int64_t),
              "one array of numbers, as it is handed over");

/// From as many numbers as there are names, in their order.
HeapLayout HeapLayoutOf(std::span<const int64_t> numbers);

/// The name of a field whose value no JVM can have, or null.
const char* FaultIn(const HeapLayout& layout);

}  // namespace flamegate
