#pragma once
#include <cstdint>
#include <optional>

#include "frame_word.h"
#include "machine_stack.h"
#include "x86_64.h"

namespace flamegate {

/// One frame on the way from the leaf to the root.
class FrameCursor {
 public:
  explicit FrameCursor(const ThreadSnapshot& thread) : thread_(thread), registers_(thread.registers) {}

  uint64_t Pc() const { return registers_[kInstructionPointer]; }
  uint64_t StackPointer() const { return registers_[kStackPointer]; }
  uint64_t FramePointer() const { return registers_[kFramePointer]; }
  Registers& AllRegisters() { return registers_; }
  const StackCopy& Stack() const { return thread_.stack; }
  std::optional<uint32_t> Collections() const { return thread_.collections; }
  std::optional<uint64_t> Word(uint64_t address) const { return thread_.stack.Word(address); }

  /// Whether the frame was interrupted rather than left by a call; then `Code()` is what it ran.
  bool IsInterrupted() const { return is_interrupted_; }
  std::span<const uint8_t> Code() const { return is_leaf_ ? thread_.code : std::span<const uint8_t>(); }
  /// Whether the frame just left, this one's callee, was Java code.
  bool HasJavaCallee() const { return has_java_callee_; }

  /// To the caller. `is_java` tells what the frame that is left was.
  void Leave(uint64_t pc, uint64_t stack_pointer, uint64_t frame_pointer, bool is_java) {
    registers_[kInstructionPointer] = pc;
    registers_[kStackPointer] = stack_pointer;
    registers_[kFramePointer] = frame_pointer;
    Left(false, is_java);
  }
  /// The registers are the caller's already.
  void Left(bool is_interrupted, bool is_java) {
    is_interrupted_ = is_interrupted;
    has_java_callee_ = is_java;
    is_leaf_ = false;
  }

  /// Why a word of the stack was not there.
  Mark WhyMissing(uint64_t address) const {
    if (!Stack().IsBehindEnd(address)) return Mark::kBadFrame;
    return Stack().IsCut() ? Mark::kStackCut : Mark::kStackEnded;
  }

 private:
  const ThreadSnapshot& thread_;
  Registers registers_;
  bool is_interrupted_ = true;
  bool is_leaf_ = true;
  bool has_java_callee_ = false;
};

}  // namespace flamegate
