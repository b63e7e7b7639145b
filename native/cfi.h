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

/// One frame description and what it shares with others (FDE and CIE), as they lie in the process: the bytes
/// behind their lengths, and where those are.
struct CfiBytes {
  std::span<const uint8_t> common;
  uint64_t common_address;
  std::span<const uint8_t> description;
  uint64_t description_address;
};

/// The code that a description is of.
struct CfiRange {
  uint64_t begin;
  uint64_t length;
};
std::optional<CfiRange> CfiRangeOf(const CfiBytes& bytes);

/// The row for `pc`. Nothing, if the bytes do not describe it or say what we do not know.
std::optional<CfiRow> CfiRowAt(const CfiBytes& bytes, uint64_t pc);

enum class CfiStep { kCaller, kOutermost, kUnreadable };

/// Turns a frame's registers into its caller's. What is saved below the stack pointer keeps its value, for it
/// may be overwritten already, or not be saved yet.
CfiStep ApplyCfi(const CfiRow& row, const StackCopy& stack, Registers& registers);

}  // namespace flamegate
