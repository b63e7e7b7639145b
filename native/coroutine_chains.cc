#include "coroutine_chains.h"

#include <algorithm>

namespace flamegate {
namespace {

constexpr size_t kMaxCandidates = 16;  // resumeWith has four locals that can be continuations

}  // namespace

ChainEnd CoroutineChains::Append(const ResumeLocals& locals, std::vector<uint64_t>& frames) {
  if (!locals.collections) return ChainEnd::kNotRead;
  if (collections_ != locals.collections) classes_.Revalidate();  // collections unload classes
  collections_ = locals.collections;
  size_t first = frames.size();
  ChainEnd end = ChainEnd::kNoContinuation;
  if (std::optional<Start> start = StartAmong(locals, end))
    end = walk_.Append(start->resumed, start->completion, frames);
  // Last, for whatever was read before may have been moved meanwhile.
  if (!StoodStill(*locals.collections)) end = ChainEnd::kHeapMoved;
  if (end != ChainEnd::kChain) frames.resize(first);
  return end;
}

// resumeWith may hold the continuation that it resumes, until its last use, and always holds that one's
// caller, which is what is looked for: the caller of an object of the class whose invokeSuspend runs, or all
// there is. Where the locals may be of another moment, both have to be there and agree.
std::optional<CoroutineChains::Start> CoroutineChains::StartAmong(const ResumeLocals& locals,
                                                                  ChainEnd& why_not) {
  candidates_.clear();
  AddCandidates(locals.references);
  size_t own = candidates_.size();
  if (!locals.is_exact) AddCandidates(locals.inlined);
  if (own == 0) return std::nullopt;
  why_not = ChainEnd::kUncertain;
  bool is_certain = true;
  const Candidate* resumed = Resumed(locals.resumed, is_certain);
  if (!is_certain) return std::nullopt;
  for (size_t i = 0; resumed != nullptr && i < own; i++) {
    if (candidates_[i].object.address == resumed->next) return Start{resumed->object, candidates_[i].object};
  }
  if (!locals.is_exact || own != 1) return std::nullopt;
  if (resumed == nullptr) return Start{std::nullopt, candidates_.front().object};
  std::optional<JavaObject> completion = heap_.Read(resumed->next);
  if (!completion) return std::nullopt;
  return Start{resumed->object, *completion};
}

// In a recursion, the innermost of several.
const CoroutineChains::Candidate* CoroutineChains::Resumed(uint64_t constants, bool& is_certain) const {
  const Candidate* resumed = nullptr;
  for (const Candidate& each : candidates_) {
    if (each.constants != constants) continue;
    bool is_called = std::any_of(candidates_.begin(), candidates_.end(), [&](auto& other) {
      return other.constants == constants && other.next == each.object.address;
    });
    if (is_called) continue;
    if (resumed != nullptr) is_certain = false;
    resumed = &each;
  }
  return resumed;
}

// The state of a function that was never called leads nowhere: a lambda that is handed about.
void CoroutineChains::AddCandidates(std::span<const uint64_t> addresses) {
  for (uint64_t address : addresses) {
    bool is_known = std::any_of(candidates_.begin(), candidates_.end(),
                                [&](auto& each) { return each.object.address == address; });
    if (is_known || candidates_.size() == kMaxCandidates) continue;
    std::optional<JavaObject> object = heap_.Read(address);
    const ContinuationClass* facts = object ? classes_.Find(heap_.ClassOf(*object)) : nullptr;
    if (facts == nullptr || !IsContinuation(facts->kind)) continue;
    bool is_last = facts->kind == ContinuationClass::Kind::kCoroutine;
    uint64_t next = is_last ? 0 : heap_.Reference(*object, facts->next);
    if (is_last || next != 0) candidates_.push_back({*object, next, facts->constants});
  }
}

// A collector counts a collection before it moves anything.
bool CoroutineChains::StoodStill(uint32_t collections) {
  const uint64_t places[] = {static_cast<uint64_t>(layout_.total_collections_address),
                             static_cast<uint64_t>(layout_.is_gc_active_address)};
  uint64_t words[2];
  uint64_t failures = memory_.Failures();
  memory_.Gather(places, words);
  bool is_active = (words[1] & 0xff) != 0;
  return memory_.Failures() == failures && static_cast<uint32_t>(words[0]) == collections && !is_active;
}

}  // namespace flamegate
