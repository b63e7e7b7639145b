#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coroutine_chains.h"
#include "frame_cursor.h"
#include "method_table.h"
#include "scope_decoder.h"

namespace flamegate {

/// Finds on stacks where a coroutine was resumed (BaseContinuationImpl.resumeWith, calling invokeSuspend) and
/// puts its suspended callers there.
class ResumedCoroutines {
 public:
  ResumedCoroutines(ForeignMemory& memory, const HotspotLayout& layout, MethodTable& methods,
                    ScopeDecoder& scopes)
      : memory_(memory), layout_(layout), methods_(methods), scopes_(scopes) {}

  /// Until then, resumptions are only counted.
  void Follow(const HeapLayout& heap);

  /// Which site, counting from 1, the frames of a pc of compiled code are; 0 if no coroutine is resumed
  /// there.
  uint32_t SiteIn(const CodeBlob& blob, uint64_t pc, std::span<const uint64_t> chain);
  void ForgetSites() { sites_.clear(); }

  /// Appends the frames of compiled code at the cursor.
  void AppendCompiled(uint32_t site, const FrameCursor& cursor, std::span<const uint64_t> chain,
                      std::vector<uint64_t>& frames);
  /// Appends what belongs before the interpreted frame of a method at the cursor, if anything. `locals`: the
  /// word of the frame that leads to its locals.
  void AppendInterpreted(uint32_t method, const FrameCursor& cursor, uint64_t locals,
                         std::vector<uint64_t>& frames);

  /// A stack may be begun again; what is found in it counts at its end.
  void BeginStack() { ends_.clear(); }
  void EndStack();

  void Revalidate();
  std::vector<NewClass> TakeNewClasses();
  ChainCounts TakeCounts() { return std::exchange(counts_, {}); }

 private:
  struct Site {
    uint32_t depth;  ///< of resumeWith in the frames, from the innermost
    ScopeDecoder::Slots slots;
  };

  uint64_t ResumedBy(uint64_t frame) const;
  void ReadSlots(const std::vector<OopSlot>& slots, const FrameCursor& cursor,
                 std::vector<uint64_t>& references) const;
  void AppendCallers(const ResumeLocals& locals, std::vector<uint64_t>& frames);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  MethodTable& methods_;
  ScopeDecoder& scopes_;
  std::unique_ptr<CoroutineChains> chains_;
  std::vector<Site> sites_;
  std::vector<uint64_t> references_;
  std::vector<uint64_t> inlined_;
  std::vector<ChainEnd> ends_;  ///< of this stack
  ChainCounts counts_ = {};
};

}  // namespace flamegate
