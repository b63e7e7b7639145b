#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "code_cache.h"
#include "frame_cursor.h"
#include "hotspot_shape.h"
#include "java_threads.h"
#include "method_table.h"
#include "native_code.h"
#include "resumed_coroutines.h"
#include "scope_decoder.h"

namespace flamegate {

/// The rules by which frames of HotSpot's generated code are named and left: compiled, interpreted, stubs,
/// adapters, deoptimised frames, entries from native code, mounted virtual threads.
class HotspotFrames {
 public:
  HotspotFrames(ForeignMemory& memory, const HotspotLayout& layout, NativeCode& native)
      : memory_(memory),
        layout_(layout),
        native_(native),
        code_(memory, layout_),
        methods_(memory, layout_),
        scopes_(memory, layout_, methods_),
        threads_(memory, layout_),
        coroutines_(memory, layout_, methods_, scopes_) {}
  HotspotFrames(const HotspotFrames&) = delete;
  HotspotFrames& operator=(const HotspotFrames&) = delete;

  bool Holds(uint64_t pc) const { return code_.Contains(pc); }
  /// Appends the frames at the cursor and moves it to the caller. A mark, if that cannot be done.
  std::optional<Mark> Step(FrameCursor& cursor, std::vector<uint64_t>& frames);
  /// Moves from a native frame that cannot be left to the Java frame that called into native code, if there
  /// is one.
  bool SkipNative(FrameCursor& cursor, std::vector<uint64_t>& frames);

  /// Forgets what belongs to one stack; the next is of this thread.
  void BeginStack(const ThreadSnapshot& thread);
  /// What the frames of this stack were read from.
  const std::vector<CodeUse>& Uses() const { return uses_; }
  /// On a careful look, confirms the code that this stack was left by. False, if some is not there any more.
  bool Confirm();
  /// Whether the compiler was at work since the last Settle, as far as is seen.
  bool HasChanged() const { return code_.HasChanged(); }
  /// Confirms what has been used since the last call.
  void Settle(ReplacedCode& replaced);
  /// Forgets the code that was not met since the last call. Right after a Settle only.
  void ForgetUnused();
  /// How much debug info may be held; more goes when the next is read.
  void LimitDebugInfo(size_t bytes) { scopes_.Limit(bytes); }
  /// Whether what was not used for a while is confirmed by Confirm, or by the next Settle.
  void SetCareful(bool is_careful) { code_.SetCareful(is_careful); }

  ResumedCoroutines& Coroutines() { return coroutines_; }
  std::vector<NewMethod> TakeNewMethods() { return methods_.TakeNew(); }
  std::vector<NewName> TakeNewNames() { return code_.Names().TakeNew(); }

 private:
  /// What is known of a pc: its blob, while that has this serial, and, in compiled code, its frames in
  /// chains_.
  struct Place {
    CodeBlob* blob;
    uint32_t serial;
    uint32_t first_frame;
    uint32_t frame_count;
    uint32_t resume_site;
    uint32_t used_in;  ///< the last period of the code cache in which it was met
  };

  std::optional<Place> PlaceOf(uint64_t pc);
  void ForgetPlaces();
  bool IsJavaReturn(uint64_t pc) { return code_.Contains(pc) && PlaceOf(pc).has_value(); }
  bool IsReturn(uint64_t pc) { return code_.Contains(pc) ? PlaceOf(pc).has_value() : native_.Holds(pc); }

  bool IsCall(const Place& place) const;
  bool HasOtherCode(const FrameCursor& cursor);
  std::optional<Mark> Compiled(FrameCursor& cursor, const Place& place, std::vector<uint64_t>& frames);
  std::optional<Mark> Interpreted(FrameCursor& cursor, std::vector<uint64_t>& frames);
  std::optional<Mark> InterpreterEntry(FrameCursor& cursor, std::vector<uint64_t>& frames);
  std::optional<Mark> Adapter(FrameCursor& cursor, std::vector<uint64_t>& frames);
  std::optional<Mark> Frameless(FrameCursor& cursor, const CodeBlob& blob, std::vector<uint64_t>& frames);
  std::optional<Mark> Stub(FrameCursor& cursor, const CodeBlob& blob, std::vector<uint64_t>& frames);
  std::optional<Mark> ReturnBarrier(FrameCursor& cursor, std::vector<uint64_t>& frames);

  std::optional<uint64_t> CallerOf(const FrameCursor& cursor, uint64_t pc, uint64_t stack_pointer,
                                   uint64_t least_bytes);
  bool IsFrameOf(const FrameCursor& cursor, uint64_t pc, uint64_t stack_pointer);
  bool HasNativeCaller(const FrameCursor& cursor, uint64_t pc, uint64_t stack_pointer);
  bool Leave(FrameCursor& cursor, FrameShape shape, const CodeBlob& blob);
  Mark WhyStuck(const FrameCursor& cursor, uint64_t frame_bytes) const;
  bool LeaveByFramePointer(FrameCursor& cursor);
  bool LeaveBySearch(FrameCursor& cursor, uint64_t from, int most_words);
  bool SkipToCall(FrameCursor& cursor, std::vector<uint64_t>& frames, int most_words);
  bool IsCallReturn(uint64_t pc);
  bool Continue(FrameCursor& cursor, const JavaAnchor& anchor);

  ForeignMemory& memory_;
  HotspotLayout layout_;
  NativeCode& native_;
  CodeCache code_;
  MethodTable methods_;
  ScopeDecoder scopes_;
  JavaThreads threads_;
  ResumedCoroutines coroutines_;

  std::unordered_map<uint64_t, Place> places_;
  std::vector<uint64_t> chains_;
  std::vector<CodeUse> uses_;
  uint32_t forgot_in_ = 0;     ///< the period that began with the last ForgetUnused
  uint64_t call_wrapper_ = 0;  ///< of the last call_stub of this stack: it knows the Java frame before
  bool has_heaps_ = false;
  bool may_load_heaps_ = true;
};

}  // namespace flamegate
