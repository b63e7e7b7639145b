#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "chain_end.h"
#include "continuation_classes.h"
#include "java_heap.h"

namespace flamegate {

/// A suspended function on the way: itself, and what a dispatcher made of it (0: nothing yet).
struct PassedFunction {
  uint64_t address;
  uint64_t intercepted;
};

/// Ktor's pipelines (io.ktor.util.pipeline.SuspendFunctionGun) on the way along a chain of continuations.
///
/// All interceptors of a pipeline have one and the same caller, an object that is none: who really waits for
/// one is the interceptor that called `proceed`, which the pipeline keeps on a stack of its own. That one's
/// caller lies below it, and so on, so the chain passes the pipeline several times. Unlike a completion this
/// stack changes, so it is only believed of one that has not ended when it has been read.
class SuspendedPipelines {
 public:
  SuspendedPipelines(JavaHeap& heap, ContinuationClasses& classes) : heap_(heap), classes_(classes) {}

  void Forget() { passages_.clear(); }

  /// Who is behind a pipeline for the function that led to it, the last one passed; 0, and why, if nobody
  /// can be told. `mark`: of the chain as it is here.
  uint64_t Behind(const JavaObject& entrance, std::span<const PassedFunction> passed, size_t mark,
                  ChainEnd& why_not);

  /// A place to which the chain goes back: what came behind it is not of the callers.
  struct Return {
    uint64_t next;  ///< 0: nobody
    size_t passed;  ///< functions that stay
    size_t mark;
  };
  /// The chain came upon a function for the second time. If a pipeline was entered since, what it led to was
  /// called by that function: the callers lie below it. Nothing if it is a circle.
  std::optional<Return> Below(size_t function);

 private:
  struct Passage {
    uint64_t entrance;
    size_t passed;  ///< functions before it was first entered
    size_t mark;
    std::vector<uint64_t> stack;  ///< those in it that are below where the chain is
  };

  std::optional<std::vector<uint64_t>> StackOf(const JavaObject& entrance);
  bool HasEnded(const PassedFunction& function);

  JavaHeap& heap_;
  ContinuationClasses& classes_;
  std::vector<Passage> passages_;
};

}  // namespace flamegate
