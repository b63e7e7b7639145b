#pragma once
#include <cstdint>
#include <vector>

namespace flamegate {

/// A period, in nanoseconds, near that of a frequency: by up to a tenth of the rate faster or slower, as
/// `random` says. Setting it anew once in `rearm_ns` gives as many ticks as the frequency does in the long
/// run: a clock that is set anew forgets how much of its period had passed, half a tick in the middle.
uint64_t JitteredPeriod(uint32_t frequency_hz, uint64_t rearm_ns, uint32_t random);

/// Keeps the clocks of all CPUs out of step with whatever runs on them: a fixed period that is a multiple of
/// a service's own would always find it doing the same.
class ClockJitter {
 public:
  ClockJitter() = default;
  /// Of perf events that count nanoseconds, which others own.
  ClockJitter(std::vector<int> clocks, uint32_t frequency_hz);
  /// Gives each clock another period, once a second.
  void Turn(uint64_t now_ns);
  /// From now on they tick so often.
  void SetFrequency(uint32_t frequency_hz, uint64_t now_ns);

 private:
  uint32_t Random();
  void Rearm(uint64_t now_ns);

  std::vector<int> clocks_;
  uint32_t frequency_hz_ = 0;
  uint64_t turned_ns_ = 0;
  uint64_t state_ = 0;
};

}  // namespace flamegate
