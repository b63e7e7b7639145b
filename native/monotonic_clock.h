#pragma once
#include <cstdint>
#include <ctime>

namespace flamegate {

/// Nanoseconds of CLOCK_MONOTONIC, which is BPF's.
inline uint64_t MonotonicNs() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace flamegate
