#pragma once
#include <cstdint>
#include <span>

namespace flamegate {

/// Where an interrupted frame of generated code has its return address: told by the instructions around, for
/// prologues and epilogues have no debug info. One implementation per architecture.
enum class FrameShape {
  kWhole,                     ///< at the top of the frame, the caller's frame pointer below it
  kFramePointerNotYetStored,  ///< at the top of the frame
  kPushedFramePointer,        ///< behind the caller's frame pointer, which the stack pointer points to
  kReturnAddress,             ///< where the stack pointer points to
};

/// The number by which debug info calls the frame pointer: the one register that survives calls of Java code.
extern const uint32_t kFramePointerLocation;

/// `code` has FG_CODE_BYTES, of which FG_CODE_BYTES_BEFORE lie before the instruction; or none, if they are
/// not known.
FrameShape CompiledShape(std::span<const uint8_t> code, bool is_frame_complete);
FrameShape StubShape(std::span<const uint8_t> code);

}  // namespace flamegate
