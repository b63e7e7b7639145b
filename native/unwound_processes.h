#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "stack_record.h"
#include "stack_unwinder.h"

namespace flamegate {

/// What one process's frames were numbered by, for the first time.
struct ProcessNews {
  uint32_t pid;
  std::vector<NewMethod> methods;
  std::vector<NewName> names;
  std::vector<NewClass> classes;
};

/// The processes whose stacks are unwound here. Not thread-safe.
class UnwoundProcesses {
 public:
  /// In place of one that has the pid already.
  void Add(uint32_t pid, const std::optional<HotspotLayout>& layout);
  void Remove(uint32_t pid);
  /// Of one that was added; others are passed over.
  void FollowCoroutines(uint32_t pid, const HeapLayout& heap);
  bool IsEmpty() const { return unwinders_.empty(); }

  /// Kernel frames, then user frames, each leaf first, and how many of them are the user's. Valid until the
  /// next call.
  struct Stack {
    std::span<const uint64_t> frames;
    size_t user_frames;
    bool is_complete;
  };
  Stack Unwind(const StackRecord& record);

  std::vector<ProcessNews> TakeNews();
  const UnwindCounts& Counts();

 private:
  void Collect(uint32_t pid, StackUnwinder& unwinder);

  std::unordered_map<uint32_t, std::unique_ptr<StackUnwinder>> unwinders_;
  std::vector<ProcessNews> news_;
  std::vector<uint64_t> frames_;
  UnwindCounts counts_;
};

}  // namespace flamegate
