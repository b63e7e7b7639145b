#include <initializer_list>

#include "cpu.h"
#include "hotspot_shape.h"

namespace flamegate {
namespace {

// The bytes around the instruction, compared from it on or up to it.
class Instructions {
 public:
  explicit Instructions(std::span<const uint8_t> code) : code_(code) {}

  bool At(size_t offset, std::initializer_list<uint8_t> bytes) const {
    return Match(FG_CODE_BYTES_BEFORE + offset, bytes);
  }
  bool EndBefore(std::initializer_list<uint8_t> bytes) const {
    return Match(FG_CODE_BYTES_BEFORE - bytes.size(), bytes);
  }

 private:
  bool Match(size_t at, std::initializer_list<uint8_t> bytes) const {
    if (at + bytes.size() > code_.size()) return false;
    for (uint8_t byte : bytes) {
      if (code_[at++] != byte) return false;
    }
    return true;
  }

  std::span<const uint8_t> code_;
};

constexpr uint8_t kPushFp = 0x55;
constexpr uint8_t kPopFp = 0x5d;
constexpr uint8_t kRet = 0xc3;
constexpr uint8_t kRetImmediate = 0xc2;

// mov rbp, rsp in both of its encodings.
bool IsSetFpAt(const Instructions& code) {
  return code.At(0, {0x48, 0x8b, 0xec}) || code.At(0, {0x48, 0x89, 0xe5});
}
bool IsAfterPushFp(const Instructions& code) {
  return code.EndBefore({kPushFp}) || code.EndBefore({kPushFp, 0x48, 0x8b, 0xec}) ||
         code.EndBefore({kPushFp, 0x48, 0x89, 0xe5});
}
bool IsSubtractFromSpAt(const Instructions& code) {
  return code.At(0, {0x48, 0x83, 0xec}) || code.At(0, {0x48, 0x81, 0xec});
}
bool IsStoreFpAt(const Instructions& code) {
  return code.At(0, {0x48, 0x89, 0x6c, 0x24}) || code.At(0, {0x48, 0x89, 0xac, 0x24});
}
// cmp dword [r15 + x], epoch: the nmethod entry barrier, behind the prologue; then its jump.
bool IsEntryBarrierAt(const Instructions& code) {
  return code.At(0, {0x41, 0x81, 0x7f}) || code.At(0, {0x41, 0x83, 0x7f}) || code.EndBefore({0x0f, 0x85}) ||
         code.EndBefore({0x0f, 0x84});
}
// Since 16 a method polls after its frame is gone: cmp rsp, [r15 + x]; ja stub; ret.
bool IsReturnPollAt(const Instructions& code, size_t offset) {
  return code.At(offset, {0x49, 0x3b, 0xa7}) || code.At(offset, {0x49, 0x3b, 0x67});
}

FrameShape ShapeInPrologue(const Instructions& code) {
  if (IsSubtractFromSpAt(code) || IsSetFpAt(code)) {
    return IsAfterPushFp(code) ? FrameShape::kPushedFramePointer : FrameShape::kReturnAddress;
  }
  if (IsStoreFpAt(code)) return FrameShape::kFramePointerNotYetStored;
  return IsEntryBarrierAt(code) ? FrameShape::kWhole : FrameShape::kReturnAddress;
}

}  // namespace

// rbp is the sixth register, and each has two numbers (vmreg_x86.hpp).
const uint32_t kFramePointerLocation = 10;

FrameShape CompiledShape(std::span<const uint8_t> bytes, bool is_frame_complete) {
  Instructions code(bytes);
  if (!is_frame_complete) return ShapeInPrologue(code);
  if (code.At(0, {kRet}) || code.At(0, {kRetImmediate})) return FrameShape::kReturnAddress;
  if (code.At(0, {kPopFp})) {
    bool is_epilogue =
        code.At(1, {kRet}) || IsReturnPollAt(code, 1) || code.At(1, {0xc5, 0xf8, 0x77});  // vzeroupper
    return is_epilogue ? FrameShape::kPushedFramePointer : FrameShape::kWhole;
  }
  bool is_poll = IsReturnPollAt(code, 0) && (code.At(7, {0x0f, 0x87}) || code.At(4, {0x0f, 0x87}));
  bool is_jump_of_poll = code.At(0, {0x0f, 0x87}) && code.At(6, {kRet});
  return is_poll || is_jump_of_poll ? FrameShape::kReturnAddress : FrameShape::kWhole;
}

FrameShape StubShape(std::span<const uint8_t> bytes) {
  Instructions code(bytes);
  if (code.At(0, {kPushFp}) || code.At(0, {kRet})) return FrameShape::kReturnAddress;
  if (code.EndBefore({kPushFp}) && IsSetFpAt(code)) return FrameShape::kPushedFramePointer;
  if (code.At(0, {kPopFp, kRet})) return FrameShape::kPushedFramePointer;
  return FrameShape::kWhole;
}

}  // namespace flamegate
