#pragma once
#include <bpf/libbpf.h>
#include <pthread.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "aggregate.h"
#include "clock_jitter.h"
#include "failure.h"
#include "io_stacks.h"
#include "monotonic_clock.h"
#include "unique_fd.h"
#include "unwound_processes.h"
#include "wait_scan.h"
#include "worker_thread.h"

namespace flamegate {

/// Empties the kernel's ring into an Aggregate on a thread of its own, and unwinds on the way what comes as a
/// copy of a stack.
class RingDrain {
 public:
  /// What was drained between two calls of Take.
  struct Drained {
    Aggregate aggregate;
    std::vector<ProcessNews> news;
    std::optional<WaitBatch> waits;
    IoStacks::Taken io;
  };

  /// Null on failure. The ring's map must outlive the drain.
  static std::unique_ptr<RingDrain> Start(int ring_fd, uint32_t max_stacks, Failure& failure);
  /// Joins the thread.
  ~RingDrain();
  RingDrain(const RingDrain&) = delete;
  RingDrain& operator=(const RingDrain&) = delete;

  /// Drains what is in the ring now, and hands over everything since the last call.
  Drained Take();
  /// Records that made no sense, since the start.
  uint64_t Malformed();
  UnwindCounts Unwound();

  void AddProcess(uint32_t pid, const std::optional<HotspotLayout>& layout);
  void RemoveProcess(uint32_t pid);
  void FollowCoroutines(uint32_t pid, const HeapLayout& heap);
  /// From now on it looks at who waits in this target. `open` makes the probe for the first.
  template <typename Open>
  bool AddWaits(uint64_t target, uint64_t least_ns, Open open, Failure& failure) {
    Locked locked(lock_);
    if (!waits_) {
      std::unique_ptr<WaitProbe> probe = open();
      if (!probe) return false;
      waits_ = std::make_unique<WaitScan>(std::move(probe), max_stacks_);
      waits_->KeepMoments(moment_targets_);
    }
    return waits_->Add(target, least_ns, MonotonicNs(), failure);
  }
  /// From now on it is kept when samples and waits of these targets were, and of no others.
  void KeepMoments(std::unordered_set<uint64_t> targets);
  void RemoveWaits(uint64_t target);
  /// Nothing, while nobody is looked at.
  std::optional<WaitScanCounts> Waits();
  /// From now on it keeps these clocks out of step, as long as it lives.
  void Jitter(ClockJitter jitter);
  /// Of those clocks, from now on.
  void SetFrequency(uint32_t frequency_hz);

 private:
  RingDrain(int ring_fd, uint32_t max_stacks);
  static int OnRecord(void* self, void* data, size_t size);
  bool AddWalked(std::span<const uint8_t> record);
  bool AddCopied(std::span<const uint8_t> record);
  bool AddIo(std::span<const uint8_t> record);
  static void* Run(void* self);
  int PatienceMs(uint64_t now_ns) const;
  void ScanWaits();
  void Loop();
  void SleepUntilNeeded(uint64_t drained_ns, int patience_ms);

  uint32_t max_stacks_;
  int ring_fd_;
  UniqueFd stop_event_;
  ring_buffer* ring_ = nullptr;
  pthread_t thread_{};
  bool running_ = false;

  pthread_mutex_t lock_ =
      PTHREAD_MUTEX_INITIALIZER;  ///< guards what follows, and the reading end of the ring
  bool stop_ = false;
  ClockJitter jitter_;
  uint64_t malformed_ = 0;
  Aggregate aggregate_;
  std::unordered_set<uint64_t> moment_targets_;
  UnwoundProcesses processes_;
  std::unique_ptr<WaitScan> waits_;  ///< null while nobody asks for waits
  IoStacks io_;
};

}  // namespace flamegate
