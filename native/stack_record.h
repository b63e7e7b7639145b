#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include "cpu.h"
#include "machine_stack.h"

namespace flamegate {

/// A record of kind FG_RECORD_CPU_STACK, in the ring's own memory.
struct StackRecord {
  const fg_cpu_sample_header* header;
  std::span<const uint64_t> kernel_frames;
  ThreadSnapshot thread;
};

/// Nothing, if the bytes are no such record.
std::optional<StackRecord> ParseStackRecord(std::span<const uint8_t> bytes);

}  // namespace flamegate
