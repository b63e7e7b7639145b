#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "foreign_memory.h"
#include "hotspot_layout.h"

namespace flamegate {

/// The reserved ranges of a JVM's code cache, and which blob an address in them belongs to.
class CodeHeaps {
 public:
  /// False while the JVM has none yet, or if what is there cannot be the list of heaps.
  bool Load(ForeignMemory& memory, const HotspotLayout& layout);

  bool Contains(uint64_t address) const { return HeapOf(address) != nullptr; }
  /// Where the blob around an address begins. Nothing, if the block is free or cannot be read.
  std::optional<uint64_t> FindBlob(ForeignMemory& memory, uint64_t address) const;

 private:
  struct Heap {
    uint64_t low;
    uint64_t high;
    uint64_t segment_map;
    uint32_t log2_segment_size;
  };
  const Heap* HeapOf(uint64_t address) const;

  std::vector<Heap> heaps_;
  uint64_t block_header_ = 0;
};

}  // namespace flamegate
