#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "chain_end.h"
#include "continuation_classes.h"
#include "java_heap.h"
#include "suspended_pipelines.h"

namespace flamegate {

/// The way from a continuation to the coroutine that was started, link by link.
class ContinuationWalk {
 public:
  ContinuationWalk(JavaHeap& heap, ContinuationClasses& classes)
      : heap_(heap), classes_(classes), pipelines_(heap, classes) {}

  /// Appends the suspended functions from `first` on, and the coroutine. `resumed`: who runs, whose caller
  /// `first` is, if that is known. What is appended without a chain at the end is of no use.
  ChainEnd Append(const std::optional<JavaObject>& resumed, JavaObject first, std::vector<uint64_t>& frames);

 private:
  void Pass(const JavaObject& function, const ContinuationClass& facts);
  uint64_t NextOf(const JavaObject& object, const ContinuationClass& facts, std::vector<uint64_t>& frames,
                  ChainEnd& why_not);
  uint64_t NextOfFunction(const JavaObject& object, const ContinuationClass& facts,
                          std::vector<uint64_t>& frames, ChainEnd& why_not);

  JavaHeap& heap_;
  ContinuationClasses& classes_;
  SuspendedPipelines pipelines_;
  std::vector<PassedFunction> passed_;
  bool is_behind_function_ = false;
};

}  // namespace flamegate
