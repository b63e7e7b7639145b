#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "chain_end.h"
#include "continuation_classes.h"
#include "continuation_walk.h"
#include "foreign_memory.h"
#include "heap_layout.h"
#include "hotspot_layout.h"
#include "java_heap.h"
#include "method_table.h"

namespace flamegate {

/// What the locals of the frame that resumed a coroutine refer to.
struct ResumeLocals {
  std::span<const uint64_t> references;
  std::span<const uint64_t> inlined;  ///< those of what was inlined into it
  uint64_t resumed;                   ///< the constants of the class whose invokeSuspend was called
  bool is_exact;  ///< the locals are of the very instruction, not of the next one that has debug info
  std::optional<uint32_t> collections;  ///< that the JVM had had when they were copied
};

/// Finds who waits for a coroutine: from the continuation that its resumption goes on with, along the heap,
/// to the coroutine that was started. No chain rather than a wrong one: every link has to be a continuation,
/// the last a Job, and no collection may have run since the sample.
class CoroutineChains {
 public:
  CoroutineChains(ForeignMemory& memory, const HotspotLayout& layout, const HeapLayout& heap,
                  MethodTable& methods)
      : memory_(memory),
        layout_(layout),
        heap_layout_(heap),
        heap_(memory, heap_layout_),
        classes_(memory, layout_, heap_layout_, methods),
        walk_(heap_, classes_) {}
  CoroutineChains(const CoroutineChains&) = delete;
  CoroutineChains& operator=(const CoroutineChains&) = delete;

  /// Appends the suspended callers, innermost first, and the coroutine; or nothing.
  ChainEnd Append(const ResumeLocals& locals, std::vector<uint64_t>& frames);
  const JavaHeap& Heap() const { return heap_; }
  void Revalidate() { classes_.Revalidate(); }
  std::vector<NewClass> TakeNewClasses() { return classes_.TakeNew(); }

 private:
  /// A continuation among the locals.
  struct Candidate {
    JavaObject object;
    uint64_t next;       ///< its caller; 0 if it has none
    uint64_t constants;  ///< of its class
  };

  struct Start {
    std::optional<JavaObject> resumed;  ///< who runs, if that is among the locals
    JavaObject completion;              ///< its caller
  };

  void AddCandidates(std::span<const uint64_t> addresses);
  std::optional<Start> StartAmong(const ResumeLocals& locals, ChainEnd& why_not);
  const Candidate* Resumed(uint64_t constants, bool& is_certain) const;
  bool StoodStill(uint32_t collections);

  ForeignMemory& memory_;
  HotspotLayout layout_;
  HeapLayout heap_layout_;
  JavaHeap heap_;
  ContinuationClasses classes_;
  ContinuationWalk walk_;
  std::vector<Candidate> candidates_;
  std::optional<uint32_t> collections_;  ///< of the last search: the classes are as of then
};

}  // namespace flamegate
