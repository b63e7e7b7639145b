#include "resumed_coroutines.h"

#include "frame_word.h"
#include "monotonic_clock.h"

namespace flamegate {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kMaxLocals = 16;  // resumeWith has eight
// Of an interpreted frame: older releases have a pointer to the locals, newer ones words from the frame
// pointer.
constexpr uint64_t kMaxRelative = 64 << 10;

}  // namespace

void ResumedCoroutines::Follow(const HeapLayout& heap) {
  chains_ = std::make_unique<CoroutineChains>(memory_, layout_, heap, methods_);
}

uint32_t ResumedCoroutines::SiteIn(const CodeBlob& blob, uint64_t pc, std::span<const uint64_t> chain) {
  for (uint32_t depth = 0; depth < chain.size(); depth++) {
    if (methods_.PartOf(JavaMethodOf(chain[depth])).role != MethodTable::Role::kResumeWith) continue;
    if (depth > 0 && ResumedBy(chain[depth - 1]) == 0) continue;
    sites_.push_back({depth, scopes_.SlotsAt(blob, pc, depth)});
    return static_cast<uint32_t>(sites_.size());
  }
  return 0;
}

// Of the class whose invokeSuspend the frame is; 0 if it is another method.
uint64_t ResumedCoroutines::ResumedBy(uint64_t frame) const {
  MethodTable::Part part = IsJavaFrame(frame) ? methods_.PartOf(JavaMethodOf(frame)) : MethodTable::Part();
  return part.role == MethodTable::Role::kInvokeSuspend ? part.constants : 0;
}

void ResumedCoroutines::AppendCompiled(uint32_t site, const FrameCursor& cursor,
                                       std::span<const uint64_t> chain, std::vector<uint64_t>& frames) {
  size_t callees = site == 0 ? chain.size() : sites_[site - 1].depth;
  frames.insert(frames.end(), chain.begin(), chain.begin() + static_cast<ptrdiff_t>(callees));
  if (site == 0) return;
  uint64_t resumed = frames.empty() ? 0 : ResumedBy(frames.back());
  if (resumed != 0) {
    const ScopeDecoder::Slots& slots = sites_[site - 1].slots;
    bool is_exact = (chain.front() & uint64_t{kSafepointPlace} << 52) == 0;
    ReadSlots(slots.own, cursor, references_);
    ReadSlots(slots.inner, cursor, inlined_);
    AppendCallers({references_, inlined_, resumed, is_exact, cursor.Collections()}, frames);
  }
  frames.insert(frames.end(), chain.begin() + static_cast<ptrdiff_t>(callees), chain.end());
}

void ResumedCoroutines::ReadSlots(const std::vector<OopSlot>& slots, const FrameCursor& cursor,
                                  std::vector<uint64_t>& references) const {
  references.clear();
  if (!chains_) return;
  for (const OopSlot& slot : slots) {
    uint64_t word = slot.is_in_frame_pointer
                        ? cursor.FramePointer()
                        : cursor.Word(cursor.StackPointer() + slot.stack_offset).value_or(0);
    uint64_t reference = slot.is_narrow ? chains_->Heap().Widened(static_cast<uint32_t>(word)) : word;
    references.push_back(reference);
  }
}

// The locals lie downward from the first, above the frame's return address. The first is the object that was
// resumed from outside, of which this one may be a distant caller: it is of no use.
void ResumedCoroutines::AppendInterpreted(uint32_t method, const FrameCursor& cursor, uint64_t locals,
                                          std::vector<uint64_t>& frames) {
  if (methods_.PartOf(method).role != MethodTable::Role::kResumeWith) return;
  uint64_t resumed = frames.empty() ? 0 : ResumedBy(frames.back());
  if (resumed == 0) return;
  uint64_t fp = cursor.FramePointer();
  uint64_t first = locals < kMaxRelative ? fp + locals * kWord : locals;
  references_.clear();
  for (uint64_t i = 1; i < kMaxLocals && first - i * kWord >= fp + 2 * kWord; i++) {
    references_.push_back(cursor.Word(first - i * kWord).value_or(0));
  }
  AppendCallers({references_, {}, resumed, true, cursor.Collections()}, frames);
}

void ResumedCoroutines::AppendCallers(const ResumeLocals& locals, std::vector<uint64_t>& frames) {
  uint64_t begin = MonotonicNs();
  uint64_t reads = memory_.Reads();
  ChainEnd end = chains_ ? chains_->Append(locals, frames) : ChainEnd::kUnsupported;
  ends_.push_back(end);
  counts_.reads += memory_.Reads() - reads;
  counts_.ns += MonotonicNs() - begin;
}

void ResumedCoroutines::EndStack() {
  for (ChainEnd end : ends_) counts_.by_end[static_cast<size_t>(end)]++;
}

void ResumedCoroutines::Revalidate() {
  if (chains_) chains_->Revalidate();
}

std::vector<NewClass> ResumedCoroutines::TakeNewClasses() {
  return chains_ ? chains_->TakeNewClasses() : std::vector<NewClass>();
}

}  // namespace flamegate
