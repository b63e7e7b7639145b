// Ways to a Java caller where no frame tells it: through native code by what the JVM notes when it leaves
// Java, else by the nearest word of the stack that can only be a return address.
#include "hotspot_frames.h"

namespace flamegate {
namespace {

constexpr uint64_t kWord = 8;
constexpr int kMaxNativeWords = 1024;  // native methods have buffers

}  // namespace

// Where nothing tells: the nearest word from there on that can only be the return address of a call in Java
// code.
bool HotspotFrames::LeaveBySearch(FrameCursor& cursor, uint64_t from, int most_words) {
  for (int i = 0; i < most_words; i++) {
    uint64_t at = from + static_cast<uint64_t>(i) * kWord;
    std::optional<uint64_t> pc = cursor.Word(at);
    if (!pc) return false;
    if (!IsCallReturn(*pc)) continue;
    cursor.Leave(*pc, at + kWord, cursor.Word(at - kWord).value_or(0), false);
    return true;
  }
  return false;
}

bool HotspotFrames::IsCallReturn(uint64_t pc) {
  if (!code_.Contains(pc)) return false;
  if (pc == static_cast<uint64_t>(layout_.call_stub_return_address)) return true;
  std::optional<Place> place = PlaceOf(pc);
  if (!place) return false;
  if (place->blob->kind == BlobKind::kInterpreter) return true;
  return place->blob->kind == BlobKind::kCompiled && IsCall(*place);
}

// The wrapper of the last entry is on the stack and of the sample's moment; the thread's own anchor is read
// later.
bool HotspotFrames::SkipNative(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  std::optional<JavaAnchor> anchor;
  if (call_wrapper_ == 0) {
    anchor = threads_.AnchorOf(cursor.StackPointer());
  } else {
    auto member = [&](int64_t offset) {
      return offset < 0 ? 0 : cursor.Word(call_wrapper_ + static_cast<uint64_t>(offset)).value_or(0);
    };
    anchor = JavaAnchor{member(layout_.java_call_wrapper_anchor_last_java_sp),
                        member(layout_.java_call_wrapper_anchor_last_java_pc),
                        member(layout_.java_call_wrapper_anchor_last_java_fp)};
  }
  if (!anchor) return false;
  if (!Continue(cursor, *anchor)) return SkipToCall(cursor, frames, kMaxNativeWords);
  frames.push_back(MarkFrame(Mark::kSkippedFrames));
  return true;
}

bool HotspotFrames::SkipToCall(FrameCursor& cursor, std::vector<uint64_t>& frames, int most_words) {
  if (!LeaveBySearch(cursor, cursor.StackPointer(), most_words)) return false;
  frames.push_back(MarkFrame(Mark::kSkippedFrames));
  return true;
}

// The stack has to confirm the anchor: below the frame it names is the return address of the call that left
// Java. The anchor's own pc may be another one of the same code.
bool HotspotFrames::Continue(FrameCursor& cursor, const JavaAnchor& anchor) {
  if (anchor.stack_pointer <= cursor.StackPointer()) return false;
  uint64_t below = cursor.Word(anchor.stack_pointer - kWord).value_or(0);
  if (!IsJavaReturn(below)) return false;
  uint64_t pc = anchor.pc == 0 ? below : anchor.pc;
  if (pc != below && (!IsJavaReturn(pc) || PlaceOf(pc)->blob != PlaceOf(below)->blob)) return false;
  cursor.Leave(pc, anchor.stack_pointer, anchor.frame_pointer, false);
  return true;
}

}  // namespace flamegate
