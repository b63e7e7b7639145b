#include "clock_jitter.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include <utility>

namespace flamegate {
namespace {

// Setting a period interrupts its CPU, idle or not: 5 µs.
constexpr uint64_t kRearmNs = 1'000'000'000;
constexpr double kSpread = 0.1;

}  // namespace

// x + 1/2 periods fit into the time from one setting to the next, so that floor(x + 1/2) ticks come: x in the
// mean.
uint64_t JitteredPeriod(uint32_t frequency_hz, uint64_t rearm_ns, uint32_t random) {
  double share = static_cast<double>(random) / static_cast<double>(UINT32_MAX);  // 0 to 1
  double seconds = static_cast<double>(rearm_ns) / 1e9;
  double ticks = frequency_hz * seconds * (1 - kSpread + 2 * kSpread * share);
  return static_cast<uint64_t>(static_cast<double>(rearm_ns) / (ticks + 0.5));
}

ClockJitter::ClockJitter(std::vector<int> clocks, uint32_t frequency_hz)
    : clocks_(std::move(clocks)), frequency_hz_(frequency_hz) {
  if (getrandom(&state_, sizeof(state_), GRND_NONBLOCK) != sizeof(state_)) state_ = 0;
  state_ |= 1;  // the generator stays where it is at 0
}

void ClockJitter::Turn(uint64_t now_ns) {
  if (now_ns >= turned_ns_ + kRearmNs) Rearm(now_ns);
}

void ClockJitter::SetFrequency(uint32_t frequency_hz, uint64_t now_ns) {
  frequency_hz_ = frequency_hz;
  Rearm(now_ns);
}

// A clock that refuses keeps the period it has.
void ClockJitter::Rearm(uint64_t now_ns) {
  turned_ns_ = now_ns;
  for (int clock : clocks_) {
    uint64_t period_ns = JitteredPeriod(frequency_hz_, kRearmNs, Random());
    ioctl(clock, PERF_EVENT_IOC_PERIOD, &period_ns);
  }
}

// xorshift64 (Marsaglia); nobody gains by guessing it.
uint32_t ClockJitter::Random() {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return static_cast<uint32_t>(state_ >> 32);
}

}  // namespace flamegate
