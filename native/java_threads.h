#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "foreign_memory.h"
#include "hotspot_layout.h"

namespace flamegate {

/// Where a thread's Java frames begin, as the JVM itself notes it whenever Java code calls native code.
struct JavaAnchor {
  uint64_t stack_pointer;  ///< 0: it is in Java code by now
  uint64_t pc;             ///< 0: it is below the stack pointer
  uint64_t frame_pointer;
};

/// The JVM's threads, told apart by their stacks: thread ids are of the JVM's own pid namespace.
class JavaThreads {
 public:
  JavaThreads(ForeignMemory& memory, const HotspotLayout& layout) : memory_(memory), layout_(layout) {}

  /// The anchor, as of now, of the thread on whose stack this is. Nothing, if it is none of the JVM's.
  std::optional<JavaAnchor> AnchorOf(uint64_t stack_pointer);
  /// Lets the list be read again, should a stack not be in it.
  void Revalidate() { may_reload_ = true; }

 private:
  struct Thread {
    uint64_t address;
    uint64_t stack_base;  ///< its highest address
    uint64_t stack_size;
  };
  const Thread* Find(uint64_t stack_pointer) const;
  void Reload();

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  std::vector<Thread> threads_;
  bool may_reload_ = true;
};

}  // namespace flamegate
