#include "stack_unwinder.h"

#include <algorithm>

#include "monotonic_clock.h"

namespace flamegate {
namespace {

// A copy of 64 KB has room for 4,000 frames of two words; inlining adds some. Recursion goes no deeper than
// this.
constexpr size_t kMaxFrames = 4096;
// Native code keeps buffers of this size on the stack.
constexpr uint64_t kMaxNativeFrame = 64 << 10;
// By code that was replaced, the walk goes astray; where it ends then there may be more of it.
constexpr int kAttempts = 3;

}  // namespace

StackUnwinder::StackUnwinder(pid_t pid, const std::optional<HotspotLayout>& layout)
    : memory_(pid), native_(pid, memory_) {
  if (layout) hotspot_ = std::make_unique<HotspotFrames>(memory_, *layout, native_);
}

void StackUnwinder::FollowCoroutines(const HeapLayout& heap) {
  if (hotspot_) hotspot_->Coroutines().Follow(heap);
}

const std::vector<uint64_t>& StackUnwinder::Unwind(const ThreadSnapshot& thread) {
  uint64_t begin = MonotonicNs();
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    frames_.clear();
    FrameCursor cursor(thread);
    if (hotspot_) hotspot_->BeginStack(thread);
    if (std::optional<Mark> mark = Walk(cursor)) frames_.push_back(MarkFrame(*mark));
    if (!hotspot_ || hotspot_->Confirm()) break;
  }
  uint64_t microseconds = (MonotonicNs() - begin) / 1000;
  counts_.by_microseconds[std::min(microseconds, counts_.by_microseconds.size() - 1)]++;
  return frames_;
}

void StackUnwinder::CountChains() {
  if (hotspot_) hotspot_->Coroutines().EndStack();
}

void StackUnwinder::SetCareful(bool is_careful) {
  native_.SetCareful(is_careful);
  if (hotspot_) hotspot_->SetCareful(is_careful);
}

std::span<const CodeUse> StackUnwinder::Uses() const {
  return hotspot_ ? std::span<const CodeUse>(hotspot_->Uses()) : std::span<const CodeUse>();
}

ReplacedCode StackUnwinder::Settle() {
  ReplacedCode replaced;
  native_.Revalidate();
  if (hotspot_) hotspot_->Settle(replaced);
  return replaced;
}

void StackUnwinder::ForgetUnused() {
  if (hotspot_) hotspot_->ForgetUnused();
}

void StackUnwinder::LimitDebugInfo(size_t bytes) {
  if (hotspot_) hotspot_->LimitDebugInfo(bytes);
}

// A caller's frame lies above its callee's, except that a signal may come on a stack of its own, and that an
// adapter which holds the return address in a register has none.
std::optional<Mark> StackUnwinder::Walk(FrameCursor& cursor) {
  while (frames_.size() < kMaxFrames) {
    uint64_t least = cursor.StackPointer() + (cursor.IsInterrupted() ? 0 : 1);
    bool is_outermost = false;
    bool is_java = hotspot_ && hotspot_->Holds(cursor.Pc());
    std::optional<Mark> mark = is_java ? hotspot_->Step(cursor, frames_) : Native(cursor, is_outermost);
    if (mark) return mark;
    if (is_outermost) return std::nullopt;
    if (cursor.StackPointer() < least && !cursor.IsInterrupted()) return Mark::kNoProgress;
  }
  return Mark::kTooDeep;
}

// A return address may be the first of the next function, if the call never returns: the call is before it.
std::optional<Mark> StackUnwinder::Native(FrameCursor& cursor, bool& is_outermost) {
  uint64_t pc = cursor.Pc();
  if (pc == 0) {
    is_outermost = true;
    return std::nullopt;
  }
  if (!native_.Ran(pc)) return Mark::kUnknownCode;
  frames_.push_back(pc);
  const CfiRow* row = native_.RowAt(cursor.IsInterrupted() ? pc : pc - 1);
  if (row == nullptr) return LeaveWithoutRow(cursor, is_outermost);
  switch (ApplyCfi(*row, cursor.Stack(), cursor.AllRegisters())) {
    case CfiStep::kOutermost:
      is_outermost = true;
      return std::nullopt;
    case CfiStep::kUnreadable:
      return cursor.WhyMissing(cursor.StackPointer());
    case CfiStep::kCaller:
      cursor.Left(row->is_signal, false);
      return std::nullopt;
  }
  return Mark::kBadFrame;
}

// Hand-written assembly has no unwind tables, but mostly leaves the frame pointer alone; by the ABI it is
// zero in a thread's outermost frame.
std::optional<Mark> StackUnwinder::LeaveWithoutRow(FrameCursor& cursor, bool& is_outermost) {
  uint64_t fp = cursor.FramePointer();
  if (fp >= cursor.StackPointer() && fp - cursor.StackPointer() < kMaxNativeFrame) {
    std::optional<uint64_t> pc = cursor.Word(fp + 8);
    bool is_return = pc && ((hotspot_ && hotspot_->Holds(*pc)) || native_.Holds(*pc));
    if (is_return) {
      cursor.Leave(*pc, fp + 16, cursor.Word(fp).value_or(0), false);
      return std::nullopt;
    }
  }
  if (hotspot_ && hotspot_->SkipNative(cursor, frames_)) return std::nullopt;
  is_outermost = fp == 0;
  return is_outermost ? std::nullopt : std::optional(Mark::kNoUnwindRule);
}

std::vector<NewMethod> StackUnwinder::TakeNewMethods() {
  return hotspot_ ? hotspot_->TakeNewMethods() : std::vector<NewMethod>();
}

std::vector<NewName> StackUnwinder::TakeNewNames() {
  return hotspot_ ? hotspot_->TakeNewNames() : std::vector<NewName>();
}

std::vector<NewClass> StackUnwinder::TakeNewClasses() {
  return hotspot_ ? hotspot_->Coroutines().TakeNewClasses() : std::vector<NewClass>();
}

UnwindCounts StackUnwinder::TakeCounts() {
  UnwindCounts counts = std::exchange(counts_, {});
  if (hotspot_) counts.chains = hotspot_->Coroutines().TakeCounts();
  counts.reads = memory_.Reads() - std::exchange(told_reads_, memory_.Reads());
  counts.failed_reads = memory_.Failures() - std::exchange(told_failures_, memory_.Failures());
  return counts;
}

}  // namespace flamegate
