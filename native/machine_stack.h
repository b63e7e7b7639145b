#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "cpu.h"

namespace flamegate {

/// The registers of a frame, by their DWARF numbers.
using Registers = std::array<uint64_t, FG_REGISTERS>;

/// The copied part of a thread's stack.
class StackCopy {
 public:
  StackCopy() = default;
  StackCopy(uint64_t address, std::span<const uint8_t> bytes, bool is_cut)
      : address_(address), bytes_(bytes), is_cut_(is_cut) {}

  std::optional<uint64_t> Word(uint64_t address) const {
    uint64_t offset = address - address_;
    if (offset >= bytes_.size() || bytes_.size() - offset < sizeof(uint64_t)) return std::nullopt;
    uint64_t word;
    memcpy(&word, bytes_.data() + offset, sizeof(word));
    return word;
  }
  bool IsBehindEnd(uint64_t address) const {
    return address >= address_ && address - address_ + sizeof(uint64_t) > bytes_.size();
  }
  bool IsCut() const { return is_cut_; }

 private:
  uint64_t address_ = 0;
  std::span<const uint8_t> bytes_;
  bool is_cut_ = false;
};

/// A thread as it was when the tick came.
struct ThreadSnapshot {
  Registers registers;
  StackCopy stack;
  std::span<const uint8_t> code;  ///< around the instruction pointer; empty if it could not be read
  /// How many collections the JVM had had; nothing in a pause, and where that is not known.
  std::optional<uint32_t> collections = {};
  uint64_t time_ns = 0;  ///< CLOCK_MONOTONIC, before any of it was copied
};

}  // namespace flamegate
