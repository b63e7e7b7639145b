#include "suspended_pipelines.h"

#include <algorithm>
#include <utility>

namespace flamegate {
namespace {

constexpr size_t kMaxPipelines = 16;  // a request in Ktor's server that asks Ktor's client is in seven
constexpr uint32_t kMaxStack = 128;   // as many as there are interceptors: a dozen, and some for each plugin

uint64_t TakeLast(std::vector<uint64_t>& stack) {
  if (stack.empty()) return 0;
  uint64_t last = stack.back();
  stack.pop_back();
  return last;
}

}  // namespace

uint64_t SuspendedPipelines::Behind(const JavaObject& entrance, std::span<const PassedFunction> passed,
                                    size_t mark, ChainEnd& why_not) {
  why_not = ChainEnd::kNotAContinuation;
  for (Passage& passage : passages_) {
    if (passage.entrance == entrance.address) return TakeLast(passage.stack);
  }
  if (passages_.size() == kMaxPipelines) return 0;
  why_not = ChainEnd::kUncertain;
  if (passed.empty()) return 0;
  why_not = ChainEnd::kWentOn;
  std::optional<std::vector<uint64_t>> stack = StackOf(entrance);
  if (!stack) return 0;
  auto is_passed = [&](uint64_t waiting) {
    return std::any_of(passed.begin(), passed.end(), [&](const PassedFunction& each) {
      return waiting == each.address || waiting == each.intercepted;
    });
  };
  auto own = std::find_if(stack->begin(), stack->end(), is_passed);
  // After the stack was read: who leaves it has ended before.
  if (own == stack->end() && HasEnded(passed.back())) return 0;
  stack->erase(own, stack->end());
  uint64_t next = TakeLast(*stack);
  passages_.push_back({entrance.address, passed.size(), mark, std::move(*stack)});
  return next;
}

std::optional<SuspendedPipelines::Return> SuspendedPipelines::Below(size_t function) {
  auto passage = std::find_if(passages_.begin(), passages_.end(),
                              [&](const Passage& each) { return each.passed > function; });
  if (passage == passages_.end()) return std::nullopt;
  passages_.erase(passage + 1, passages_.end());
  return Return{TakeLast(passage->stack), passage->passed, passage->mark};
}

// From the outermost to who called `proceed` last.
std::optional<std::vector<uint64_t>> SuspendedPipelines::StackOf(const JavaObject& entrance) {
  using Kind = ContinuationClass::Kind;
  auto read = [&](uint64_t address, Kind kind, ContinuationClass& facts) {
    std::optional<JavaObject> object = heap_.Read(address);
    const ContinuationClass* found = object ? classes_.Find(heap_.ClassOf(*object)) : nullptr;
    if (found == nullptr || found->kind != kind) return std::optional<JavaObject>();
    facts = *found;
    return object;
  };
  const ContinuationClass* inner = classes_.Find(heap_.ClassOf(entrance));
  if (inner == nullptr || inner->kind != Kind::kPipelineEntrance) return std::nullopt;
  ContinuationClass facts;
  std::optional<JavaObject> pipeline = read(heap_.Reference(entrance, inner->next), Kind::kPipeline, facts);
  if (!pipeline) return std::nullopt;
  uint32_t count = heap_.Int(*pipeline, facts.label) + 1;  // -1 while it is empty
  std::optional<JavaObject> array = read(heap_.Reference(*pipeline, facts.next), Kind::kContinuations, facts);
  if (!array || count > kMaxStack) return std::nullopt;
  std::optional<std::vector<uint64_t>> stack = heap_.References(*array, count);
  // Somebody has left it since it was counted.
  if (stack && std::count(stack->begin(), stack->end(), 0) > 0) return std::nullopt;
  return stack;
}

// Who has ended gives its dispatched self away before it resumes its caller
// (BaseContinuationImpl.releaseIntercepted).
bool SuspendedPipelines::HasEnded(const PassedFunction& function) {
  std::optional<JavaObject> object = heap_.Read(function.address);
  const ContinuationClass* facts = object ? classes_.Find(heap_.ClassOf(*object)) : nullptr;
  if (facts == nullptr || facts->intercepted == 0) return true;
  uint64_t intercepted = heap_.Reference(*object, facts->intercepted);
  if (intercepted == 0) return false;
  std::optional<JavaObject> dispatched = heap_.Read(intercepted);
  const ContinuationClass* kind = dispatched ? classes_.Find(heap_.ClassOf(*dispatched)) : nullptr;
  return kind == nullptr || kind->kind == ContinuationClass::Kind::kEnded;
}

}  // namespace flamegate
