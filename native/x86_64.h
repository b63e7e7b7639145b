#pragma once
#include <cstddef>

namespace flamegate {

/// DWARF's numbers of the registers that unwinding names.
constexpr size_t kRax = 0;
constexpr size_t kRbx = 3;
constexpr size_t kFramePointer = 6;
constexpr size_t kStackPointer = 7;
constexpr size_t kR13 = 13;
constexpr size_t kInstructionPointer = 16;

}  // namespace flamegate
