#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "machine_stack.h"

namespace flamegate {

/// Evaluates the DWARF expression of a frame rule; `cfa` is on the stack at the start. Compilers need few
/// operations here: those of signal frames and of the procedure linkage table. Nothing for any other.
std::optional<uint64_t> EvaluateCfiExpression(std::span<const uint8_t> expression, const Registers& registers,
                                              const StackCopy& stack, uint64_t cfa);

}  // namespace flamegate
