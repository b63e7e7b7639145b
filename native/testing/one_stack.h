#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "aggregate.h"
#include "unwound_processes.h"

namespace flamegate {

/// Leaf first.
struct OneStack {
  std::vector<uint64_t> kernel;
  std::vector<uint64_t> user;
  bool operator==(const OneStack&) const = default;
};

/// The way of a record through the addon: parsed, unwound, confirmed, and counted in a table of stacks, as if
/// it were of that time. Of a later one than all reads, all code is to be confirmed; of an earlier one, all
/// may be newer than the stack. Nothing, if the bytes are no record.
std::optional<OneStack> UnwindOne(UnwoundProcesses& processes, std::span<const uint8_t> record,
                                  uint64_t time_ns = UINT64_MAX);

/// A table's rows, in order of first sight.
std::vector<OneStack> StacksIn(const Aggregate& aggregate);

}  // namespace flamegate
