#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "aggregate.h"
#include "pending_stacks.h"
#include "stack_record.h"
#include "stack_unwinder.h"
#include "still_stack.h"

namespace flamegate {

/// What one process's frames were numbered by, for the first time.
struct ProcessNews {
  uint32_t pid;
  std::vector<NewMethod> methods;
  std::vector<NewName> names;
  std::vector<NewClass> classes;
};

/// The processes whose stacks are unwound here, and the stacks until they are confirmed. Not thread-safe.
class UnwoundProcesses {
 public:
  /// In place of one that has the pid already.
  void Add(uint32_t pid, const std::optional<HotspotLayout>& layout, Aggregate& aggregate);
  void Remove(uint32_t pid, Aggregate& aggregate);
  /// Of one that was added; others are passed over.
  void FollowCoroutines(uint32_t pid, const HeapLayout& heap);
  /// Whether no code of any of them was replaced for a while, but of those that are not sampled.
  bool AreCalm(uint64_t now_ns) const;

  void Unwind(const StackRecord& record, Aggregate& aggregate);
  /// Confirms and counts the stacks of those whose turn it is, and forgets what they have not run for long.
  void SettleDue(uint64_t now_ns, Aggregate& aggregate);
  void SettleAll(Aggregate& aggregate);

  /// Of a process that was added, where its JVM tells of collections; nothing of others.
  std::optional<CollectionPlaces> PlacesOf(uint32_t pid) const;
  /// Before stacks of a process are unwound at once: confirms what is known of its code.
  void Confirm(uint32_t pid, Aggregate& aggregate);
  /// Of a thread that waits, or that made a call a moment ago, in a process that was confirmed since. Valid
  /// until the next call.
  const std::vector<uint64_t>& UnwindAtOnce(uint32_t pid, const ThreadSnapshot& thread);

  std::vector<ProcessNews> TakeNews();
  const UnwindCounts& Counts();

 private:
  struct Process {
    std::unique_ptr<StackUnwinder> unwinder;
    PendingStacks pending;
    CollectionPlaces places;
    uint64_t settled_ns = 0;
    uint64_t forgot_ns = 0;
    uint64_t sampled_ns = 0;
    uint64_t changed_ns = 0;  ///< when other code than before was met last
    bool is_calm = false;     ///< no newer code was met for a while, and none had gone
    bool may_doubt =
        true;  ///< a stack that makes no sense may have everything confirmed, once for each drain
  };

  void ShareDebugInfo();
  void Settle(Process& process, Aggregate& aggregate);
  void Collect(uint32_t pid, StackUnwinder& unwinder);

  std::unordered_map<uint32_t, Process> processes_;
  std::vector<ProcessNews> news_;
  UnwindCounts counts_;
  std::vector<uint64_t> none_;
};

}  // namespace flamegate
