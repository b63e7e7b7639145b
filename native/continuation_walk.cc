#include "continuation_walk.h"

#include <algorithm>

#include "frame_word.h"

namespace flamegate {
namespace {

constexpr int kMaxLinks = 256;  // deeper than any stack of suspended functions that is written by hand
constexpr uint32_t kLabelMask = 0x7fff'ffff;  // the highest bit is set while the function runs

uint64_t LabelOf(uint32_t label) {
  return std::min(uint64_t{label & kLabelMask}, kUnknownLabel);
}

}  // namespace

ChainEnd ContinuationWalk::Append(const std::optional<JavaObject>& resumed, JavaObject object,
                                  std::vector<uint64_t>& frames) {
  passed_.clear();
  pipelines_.Forget();
  const ContinuationClass* own = resumed ? classes_.Find(heap_.ClassOf(*resumed)) : nullptr;
  is_behind_function_ = own != nullptr && own->kind == ContinuationClass::Kind::kFunction;
  if (is_behind_function_) Pass(*resumed, *own);
  for (int link = 0; link < kMaxLinks; link++) {
    const ContinuationClass* found = classes_.Find(heap_.ClassOf(object));
    if (found == nullptr) return ChainEnd::kNotAContinuation;
    ContinuationClass facts = *found;
    if (facts.kind == ContinuationClass::Kind::kCoroutine) {
      frames.push_back(SuspendedFrame(facts.id, kUnknownLabel, kCoroutineRoot));
      return ChainEnd::kChain;
    }
    ChainEnd why_not = ChainEnd::kNotAContinuation;
    uint64_t address = NextOf(object, facts, frames, why_not);
    is_behind_function_ = facts.kind == ContinuationClass::Kind::kFunction;
    std::optional<JavaObject> next = heap_.Read(address);
    if (!next) return why_not;
    object = *next;
  }
  return ChainEnd::kTooLong;
}

uint64_t ContinuationWalk::NextOf(const JavaObject& object, const ContinuationClass& facts,
                                  std::vector<uint64_t>& frames, ChainEnd& why_not) {
  switch (facts.kind) {
    case ContinuationClass::Kind::kFunction:
      return NextOfFunction(object, facts, frames, why_not);
    case ContinuationClass::Kind::kPassingOn:
      return heap_.Reference(object, facts.next);
    case ContinuationClass::Kind::kPipelineEntrance: {
      std::span<const PassedFunction> passed = passed_;
      return pipelines_.Behind(object, is_behind_function_ ? passed : passed.first(0), frames.size(),
                               why_not);
    }
    case ContinuationClass::Kind::kCoroutine:
    case ContinuationClass::Kind::kPipeline:
    case ContinuationClass::Kind::kContinuations:
    case ContinuationClass::Kind::kEnded:
    case ContinuationClass::Kind::kOther:
      why_not = ChainEnd::kNoJob;
      return 0;
  }
  return 0;
}

// A function waits once: a second time is a circle, or the way through a pipeline to its own callees.
uint64_t ContinuationWalk::NextOfFunction(const JavaObject& object, const ContinuationClass& facts,
                                          std::vector<uint64_t>& frames, ChainEnd& why_not) {
  auto known = std::find_if(passed_.begin(), passed_.end(),
                            [&](const PassedFunction& each) { return each.address == object.address; });
  if (known == passed_.end()) {
    Pass(object, facts);
    uint64_t label = facts.label == 0 ? kUnknownLabel : LabelOf(heap_.Int(object, facts.label));
    frames.push_back(SuspendedFrame(facts.id, label, 0));
    return heap_.Reference(object, facts.next);
  }
  why_not = ChainEnd::kTooLong;
  auto below = pipelines_.Below(static_cast<size_t>(known - passed_.begin()));
  if (!below) return 0;
  passed_.resize(below->passed);
  frames.resize(below->mark);
  return below->next;
}

void ContinuationWalk::Pass(const JavaObject& function, const ContinuationClass& facts) {
  uint64_t intercepted = facts.intercepted == 0 ? 0 : heap_.Reference(function, facts.intercepted);
  passed_.push_back({function.address, intercepted});
}

}  // namespace flamegate
