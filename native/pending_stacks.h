#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "aggregate.h"
#include "code_use.h"
#include "cpu.h"
#include "unwind_counts.h"

namespace flamegate {

/// Stacks of a process that wait until what they were read from is confirmed. Reading a method's state for
/// each stack would cost more than the unwinding; reading it once for all that used it tells the same.
class PendingStacks {
 public:
  /// `frames` are kernel frames, then user frames, to which the uses count.
  void Add(const fg_cpu_sample_header& header, std::span<const uint64_t> kernel,
           std::span<const uint64_t> user, std::span<const CodeUse> uses);
  bool IsEmpty() const { return stacks_.empty(); }
  bool IsFull() const;
  /// Counts all of them; those that used replaced code end there.
  void Flush(const ReplacedCode& replaced, Aggregate& into, UnwindCounts& counts);

 private:
  struct Stack {
    fg_cpu_sample_header header;
    uint32_t frames_end;
    uint32_t uses_end;
  };

  std::vector<Stack> stacks_;
  std::vector<uint64_t> frames_;
  std::vector<CodeUse> uses_;
  std::vector<uint64_t> cut_;
};

}  // namespace flamegate
