#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "code_use.h"
#include "foreign_memory.h"
#include "frame_cursor.h"
#include "hotspot_frames.h"
#include "native_code.h"
#include "unwind_counts.h"

namespace flamegate {

/// Finds the frames of one process's threads, from copies of their registers and stacks. What is not in the
/// copies (code, debug info, names) it reads from the process and remembers.
class StackUnwinder {
 public:
  /// Without a layout, the process's own machine code is all there is.
  StackUnwinder(pid_t pid, const std::optional<HotspotLayout>& layout);

  /// Leaf first, as frame words (frame_word.h); a stack whose root is missing ends in a mark. Valid until the
  /// next call, as is Uses().
  const std::vector<uint64_t>& Unwind(const ThreadSnapshot& thread);
  /// The last stack is kept: what was found of its coroutines' callers counts.
  void CountChains();
  /// Whether stacks are unwound by what is known to be there (careful), or by what was there when it was used
  /// last, for Settle to find out.
  void SetCareful(bool is_careful);
  /// Whether other code than before was met since the last Settle.
  bool HasChanged() const { return hotspot_ && hotspot_->HasChanged(); }
  /// What the frames were read from, that has to be confirmed by Settle.
  std::span<const CodeUse> Uses() const;
  /// Looks at what has been used since the last call: what is not the same any more is forgotten, and told.
  ReplacedCode Settle();
  /// Forgets the code that was not met since the last call. Right after a Settle only.
  void ForgetUnused();
  /// How much debug info may be held.
  void LimitDebugInfo(size_t bytes);

  /// From now on the suspended callers of coroutines are among the frames.
  void FollowCoroutines(const HeapLayout& heap);

  std::vector<NewMethod> TakeNewMethods();
  std::vector<NewName> TakeNewNames();
  std::vector<NewClass> TakeNewClasses();
  /// Since the last call.
  UnwindCounts TakeCounts();

 private:
  std::optional<Mark> Walk(FrameCursor& cursor);
  std::optional<Mark> Native(FrameCursor& cursor, bool& is_outermost);
  std::optional<Mark> LeaveWithoutRow(FrameCursor& cursor, bool& is_outermost);

  ForeignMemory memory_;
  NativeCode native_;
  std::unique_ptr<HotspotFrames> hotspot_;
  std::vector<uint64_t> frames_;
  uint64_t told_reads_ = 0;
  uint64_t told_failures_ = 0;
  UnwindCounts counts_;
};

}  // namespace flamegate
