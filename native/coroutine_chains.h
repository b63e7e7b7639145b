#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "continuation_classes.h"
#include "foreign_memory.h"
#include "heap_layout.h"
#include "hotspot_layout.h"
#include "java_heap.h"
#include "method_table.h"

namespace flamegate {

/// What became of the search for a resumed coroutine's callers.
enum class ChainEnd : uint8_t {
  kChain,             ///< they were found
  kUnsupported,       ///< this JVM's collector moves objects at any time, or its heap is not known
  kNotRead,           ///< a pause was active when the sample was taken, or nothing tells
  kNoContinuation,    ///< none among the locals
  kUncertain,         ///< several, of which nothing tells which it is; or the only one may be old
  kHeapMoved,         ///< a collection ran since the sample, or runs
  kNotAContinuation,  ///< a link is none
  kNoJob,             ///< the chain ends in something else: sequences, callbacks
  kTooLong,           ///< it has no end
  kCount,
};
using ChainCounts = std::array<uint64_t, static_cast<size_t>(ChainEnd::kCount)>;

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
        classes_(memory, layout_, heap_layout_, methods) {}
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

  void AddCandidates(std::span<const uint64_t> addresses);
  const Candidate* Completion(const ResumeLocals& locals, ChainEnd& why_not);
  const Candidate* Resumed(uint64_t constants, bool& is_certain) const;
  ChainEnd Walk(JavaObject object, std::vector<uint64_t>& frames);
  bool StoodStill(uint32_t collections);

  ForeignMemory& memory_;
  HotspotLayout layout_;
  HeapLayout heap_layout_;
  JavaHeap heap_;
  ContinuationClasses classes_;
  std::vector<Candidate> candidates_;
  std::optional<uint32_t> collections_;  ///< of the last search: the classes are as of then
};

}  // namespace flamegate
