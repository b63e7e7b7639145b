#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "machine_stack.h"

namespace flamegate {

/// How one register of the caller is had.
struct CfiRule {
  enum Kind : uint8_t {
    kSame,
    kUndefined,
    kSavedAt,
    kValueIs,
    kRegister,
    kSavedAtExpression,
    kValueIsExpression
  };
  Kind kind = kSame;
  uint16_t length = 0;  ///< of the expression
  int32_t value =
      0;  ///< an offset from the canonical frame address, a register, or where the expression begins
  bool operator==(const CfiRule&) const = default;
};

/// The rules for one instruction: those of the canonical frame address (CFA: the stack pointer before the
/// call) and of every register.
struct CfiRow {
  CfiRule cfa;  ///< kRegister with cfa_offset, or kValueIsExpression
  int32_t cfa_offset = 0;
  bool is_signal = false;  ///< the caller was interrupted, it did not call
  std::array<CfiRule, FG_REGISTERS> registers;
  std::vector<uint8_t> expressions;
  bool operator==(const CfiRow&) const = default;
};

/// The row for `pc` of one frame description; `cie` and `fde` begin behind their lengths and lie in the
/// process at these addresses. Nothing, if it does not describe `pc` or says what we do not know.
std::optional<CfiRow> CfiRowAt(std::span<const uint8_t> cie, uint64_t cie_address,
                               std::span<const uint8_t> fde, uint64_t fde_address, uint64_t pc);

enum class CfiStep { kCaller, kOutermost, kUnreadable };

/// Turns a frame's registers into its caller's. What is saved below the stack pointer keeps its value, for it
/// may be overwritten already, or not be saved yet.
CfiStep ApplyCfi(const CfiRow& row, const StackCopy& stack, Registers& registers);

}  // namespace flamegate
