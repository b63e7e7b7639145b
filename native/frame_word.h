#pragma once
#include <cstdint>

namespace flamegate {

/// A user frame as one 64-bit number. User addresses have 0 in the uppermost byte and kernel addresses 0xff,
/// so what is between tells the other kinds; src/native/frame-word.ts reads them.
enum class FrameKind : uint64_t { kJava = 1, kStub = 2, kMark = 3, kSuspended = 4, kWait = 5 };

/// Of a Java frame.
enum FrameFlag : uint64_t {
  kInlined = 1,
  kInterpreted = 2,
  kSafepointPlace = 4,  ///< code with debug info for safepoints only, of which this is none: the next one's
                        ///< method and place
};

/// Of a suspended frame.
enum SuspendedFlag : uint64_t {
  kCoroutineRoot = 1,  ///< not a caller but the coroutine itself, where its callers end
};

/// In place of a frame that could not be had. All but the first two end the stack, whose root is then
/// missing.
enum class Mark : uint8_t {
  kFrozenFrames = 1,  ///< a virtual thread: callers that are in the heap; its carrier's frames follow
  kSkippedFrames,     ///< native code without unwind tables, passed by the JVM's own anchor
  kStackCut,          ///< the copy of the stack ends here, by its limit
  kStackEnded,        ///< the copy of the stack ends here: the next page was not in memory
  kUnknownCode,       ///< an address that no mapping holds
  kNoUnwindRule,      ///< native code without unwind tables
  kBadReturn,         ///< where a return address should be there is none
  kBadFrame,          ///< a frame pointer or method pointer that points nowhere
  kUnreadable,        ///< the process's memory could not be read: it may have ended
  kNoProgress,        ///< the stack pointer does not rise
  kTooDeep,           ///< more frames than kMaxFrames
  kReplacedCode,      ///< code that was freed meanwhile: whose frame it was is not known
  kCount,
};

constexpr uint64_t kUnknownBci = 0xffff;
constexpr uint32_t kUnknownMethod = 0;
constexpr uint64_t kUnknownLabel = 0xffff;

constexpr uint64_t JavaFrame(uint32_t method, uint64_t bci, uint64_t flags) {
  return static_cast<uint64_t>(FrameKind::kJava) << 56 | flags << 52 | uint64_t{method} << 16 |
         (bci & 0xffff);
}
/// A caller that waits in the heap, by the class of its continuation and the place it was in when last seen.
constexpr uint64_t SuspendedFrame(uint32_t continuation_class, uint64_t label, uint64_t flags) {
  return static_cast<uint64_t>(FrameKind::kSuspended) << 56 | flags << 52 |
         uint64_t{continuation_class} << 16 | (label & 0xffff);
}
constexpr bool IsJavaFrame(uint64_t frame) {
  return frame >> 56 == static_cast<uint64_t>(FrameKind::kJava);
}
constexpr uint32_t JavaMethodOf(uint64_t frame) {
  return static_cast<uint32_t>(frame >> 16);
}
constexpr uint64_t StubFrame(uint32_t name) {
  return static_cast<uint64_t>(FrameKind::kStub) << 56 | name;
}
/// In place of what a thread that waits does inside the kernel: enum fg_wait_kind.
constexpr uint64_t WaitFrame(uint32_t kind) {
  return static_cast<uint64_t>(FrameKind::kWait) << 56 | kind;
}
/// Whether a stack that has this for its last frame lacks its root.
constexpr bool EndsStack(uint64_t frame) {
  return frame >> 56 == static_cast<uint64_t>(FrameKind::kMark);
}
constexpr uint64_t MarkFrame(Mark mark) {
  return static_cast<uint64_t>(FrameKind::kMark) << 56 | static_cast<uint64_t>(mark);
}

}  // namespace flamegate
