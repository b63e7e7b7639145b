#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "aggregate.h"
#include "io.h"
#include "stack_record.h"
#include "unwound_processes.h"

namespace flamegate {

/// Calls whose stacks could not be had.
struct IoLosses {
  uint64_t calls = 0;
  uint64_t ns = 0;
};

/// By which stacks targets read, write and sync, of the calls whose stacks were taken. A row has one kernel
/// frame, the kind of the call (enum fg_io_kind); it counts the calls that its stacks stand for, and weighs
/// the nanoseconds they took. Not thread-safe.
class IoStacks {
 public:
  explicit IoStacks(uint32_t max_stacks) : max_stacks_(max_stacks), aggregate_(max_stacks) {}

  struct Taken {
    Aggregate aggregate;
    std::unordered_map<uint64_t, IoLosses> lost;  ///< by target
  };

  /// Of a record of kind FG_RECORD_IO_STACK; false if it makes no sense. `samples` takes what is known to be
  /// right of the process's samples by the way.
  bool Add(const StackRecord& record, UnwoundProcesses& processes, Aggregate& samples);
  /// Everything since the last call.
  Taken Take();

 private:
  uint32_t max_stacks_;
  Aggregate aggregate_;
  std::unordered_map<uint64_t, IoLosses> lost_;
  std::vector<uint64_t> frames_;
};

}  // namespace flamegate
