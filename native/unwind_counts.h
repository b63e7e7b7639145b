#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "coroutine_chains.h"
#include "frame_word.h"

namespace flamegate {

/// What became of the stacks unwound, and what it took.
struct UnwindCounts {
  uint64_t complete = 0;
  uint64_t reads = 0;  ///< of foreign memory
  uint64_t failed_reads = 0;
  uint64_t in_pause = 0;  ///< the JVM's collector had stopped it
  std::array<uint64_t, static_cast<size_t>(Mark::kCount)> by_mark = {};  ///< marks that are in them
  ChainCounts chains = {};
  std::array<uint64_t, 128> by_microseconds =
      {};  ///< stacks by the time they took; the last has all longer ones

  void Add(const UnwindCounts& other) {
    complete += other.complete;
    reads += other.reads;
    failed_reads += other.failed_reads;
    in_pause += other.in_pause;
    for (size_t i = 0; i < by_mark.size(); i++) by_mark[i] += other.by_mark[i];
    for (size_t i = 0; i < chains.by_end.size(); i++) chains.by_end[i] += other.chains.by_end[i];
    chains.reads += other.chains.reads;
    chains.ns += other.chains.ns;
    for (size_t i = 0; i < by_microseconds.size(); i++) by_microseconds[i] += other.by_microseconds[i];
  }
};

}  // namespace flamegate
