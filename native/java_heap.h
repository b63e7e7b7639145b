#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "foreign_memory.h"
#include "heap_layout.h"

namespace flamegate {

/// The beginning of an object of a JVM, copied: what coroutines are linked by lies in it.
struct JavaObject {
  uint64_t address = 0;
  size_t size = 0;  ///< of what could be had
  std::array<uint8_t, 64> bytes;
};

/// Objects of a JVM from outside. Whether they are where they were is for the caller to know.
class JavaHeap {
 public:
  JavaHeap(ForeignMemory& memory, const HeapLayout& layout) : memory_(memory), layout_(layout) {}

  std::optional<JavaObject> Read(uint64_t address);
  /// Where its class is described; 0 if the object is being moved.
  uint64_t ClassOf(const JavaObject& object) const;
  /// What a field refers to: 0 is null, or cannot be read.
  uint64_t Reference(const JavaObject& object, uint32_t offset);
  uint32_t Int(const JavaObject& object, uint32_t offset);
  /// The first elements of an array of objects; nothing if it has not as many, or cannot be read.
  std::optional<std::vector<uint64_t>> References(const JavaObject& array, uint32_t count);
  uint64_t Widened(uint32_t narrow) const;

 private:
  uint64_t Field(const JavaObject& object, uint32_t offset, size_t width);

  ForeignMemory& memory_;
  const HeapLayout& layout_;
};

}  // namespace flamegate
