#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "machine_stack.h"

namespace flamegate {

/// Where a JVM counts its collections, and says that one has stopped it; zeros where it does not.
struct CollectionPlaces {
  uint64_t total_collections = 0;
  uint64_t gc_active = 0;
};

/// The stack of a thread that waits, copied from outside. It is that of one moment only if the thread still
/// waits afterwards, which the caller finds out.
class StillStack {
 public:
  StillStack();

  /// False where not even the page of the stack pointer can be read.
  bool Read(pid_t pid, std::span<const __u64, FG_REGISTERS> registers, const CollectionPlaces& places);
  /// Of the last Read; it refers to this.
  const ThreadSnapshot& Thread() const { return thread_; }

 private:
  std::vector<uint8_t> bytes_;
  std::array<uint8_t, FG_CODE_BYTES> code_;
  ThreadSnapshot thread_;
};

}  // namespace flamegate
