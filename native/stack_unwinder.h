#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "foreign_memory.h"
#include "frame_cursor.h"
#include "hotspot_frames.h"
#include "native_code.h"

namespace flamegate {

/// What became of the stacks unwound.
struct UnwindCounts {
  uint64_t complete = 0;
  std::array<uint64_t, static_cast<size_t>(Mark::kCount)> by_mark = {};  ///< stacks a mark ended, or is in
  uint64_t reads = 0;                                                    ///< of foreign memory
  uint64_t failed_reads = 0;
  ChainCounts chains = {};  ///< resumed coroutines on the stacks, by what was found of their callers
  uint64_t in_pause = 0;    ///< stacks taken while the JVM's collector had stopped it
  std::array<uint64_t, 128> by_microseconds =
      {};  ///< stacks by the time they took; the last has all longer ones

  void Add(const UnwindCounts& other);
};

/// Finds the frames of one process's threads, from copies of their registers and stacks. What is not in the
/// copies (code, debug info, names) it reads from the process and remembers.
class StackUnwinder {
 public:
  /// Without a layout, the process's own machine code is all there is.
  StackUnwinder(pid_t pid, const std::optional<HotspotLayout>& layout);

  /// Leaf first, as frame words (frame_word.h); a stack whose root is missing ends in a mark. Says whether it
  /// is complete. `now_ns` is any clock that does not go back. The result is valid until the next call.
  bool Unwind(const ThreadSnapshot& thread, uint64_t now_ns, const std::vector<uint64_t>*& frames);

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
  void Count(const std::optional<Mark>& end, uint64_t nanoseconds);

  ForeignMemory memory_;
  NativeCode native_;
  std::unique_ptr<HotspotFrames> hotspot_;
  std::vector<uint64_t> frames_;
  std::optional<uint64_t> revalidated_ns_;
  uint64_t told_reads_ = 0;
  uint64_t told_failures_ = 0;
  UnwindCounts counts_;
};

}  // namespace flamegate
