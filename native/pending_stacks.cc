#include "pending_stacks.h"

#include <algorithm>

#include "frame_word.h"

namespace flamegate {
namespace {

// 2 MB; a second of two busy CPUs at 199 Hz has 16,000 frames.
constexpr size_t kMaxFrames = 256 << 10;

void CountMarks(std::span<const uint64_t> user, UnwindCounts& counts) {
  for (uint64_t frame : user) {
    if (frame >> 56 != static_cast<uint64_t>(FrameKind::kMark)) continue;
    size_t mark = frame & 0xff;
    if (mark < counts.by_mark.size()) counts.by_mark[mark]++;
  }
}

}  // namespace

void PendingStacks::Add(const fg_cpu_sample_header& header, std::span<const uint64_t> kernel,
                        std::span<const uint64_t> user, std::span<const CodeUse> uses) {
  frames_.insert(frames_.end(), kernel.begin(), kernel.end());
  frames_.insert(frames_.end(), user.begin(), user.end());
  uses_.insert(uses_.end(), uses.begin(), uses.end());
  stacks_.push_back({header, static_cast<uint32_t>(frames_.size()), static_cast<uint32_t>(uses_.size())});
}

bool PendingStacks::IsFull() const {
  return frames_.size() >= kMaxFrames;
}

void PendingStacks::Flush(const ReplacedCode& replaced, Aggregate& into, UnwindCounts& counts) {
  size_t frames_begin = 0;
  size_t uses_begin = 0;
  for (const Stack& stack : stacks_) {
    std::span frames =
        std::span<const uint64_t>(frames_).subspan(frames_begin, stack.frames_end - frames_begin);
    std::span uses = std::span<const CodeUse>(uses_).subspan(uses_begin, stack.uses_end - uses_begin);
    frames_begin = stack.frames_end;
    uses_begin = stack.uses_end;
    auto first =
        std::find_if(uses.begin(), uses.end(), [&](const CodeUse& use) { return replaced.Holds(use); });
    size_t kernel = stack.header.kernel_frames;
    if (first != uses.end()) {
      cut_.assign(frames.begin(), frames.begin() + static_cast<ptrdiff_t>(kernel + first->frame));
      cut_.push_back(MarkFrame(Mark::kReplacedCode));
      frames = cut_;
    }
    fg_cpu_sample_header header = stack.header;
    header.user_frames = static_cast<__u16>(frames.size() - kernel);
    if (!frames.empty() && EndsStack(frames.back()))
      header.flags |= FG_SAMPLE_USER_TRUNCATED;
    else
      counts.complete++;
    CountMarks(frames.subspan(kernel), counts);
    into.Add(header, frames);
  }
  // Not kept for the next: a JVM that starts has hundreds of kilobytes at once, and later a few.
  stacks_ = std::vector<Stack>();
  frames_ = std::vector<uint64_t>();
  uses_ = std::vector<CodeUse>();
}

}  // namespace flamegate
