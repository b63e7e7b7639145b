#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "aggregate.h"
#include "still_stack.h"
#include "unwound_processes.h"
#include "wait_probe.h"

namespace flamegate {

/// Of one target, since the last call of Take.
struct WaitTargetBatch {
  uint64_t target;
  uint64_t lost_ns;   ///< waited by the scans' account, by threads whose stack could not be had
  WaitTotals totals;  ///< all that was waited, by the kernel's account
};

struct WaitBatch {
  Aggregate aggregate;  ///< the stacks' weights are nanoseconds
  std::vector<WaitTargetBatch> targets;
};

/// What became of the stacks of threads that waited, since the start.
struct WaitScanCounts {
  uint64_t scans = 0;
  uint64_t waits = 0;    ///< of which a stack was taken
  uint64_t moved = 0;    ///< that ended while it was
  uint64_t scan_ns = 0;  ///< what it took, unwinding included
  WaitProbe::Runs probe;
};

/// Looks from time to time at who waits, and by which stack. Each look counts for the time since the last
/// one; a wait's stack is taken once. Where more waits have begun than stacks may be taken, those that are
/// taken, by lot, stand for the others of that look. Not thread-safe.
class WaitScan {
 public:
  WaitScan(std::unique_ptr<WaitProbe> probe, uint32_t max_stacks)
      : probe_(std::move(probe)), max_stacks_(max_stacks), aggregate_(max_stacks) {}

  bool Add(uint64_t target, uint64_t least_ns, uint64_t now_ns, Failure& failure);
  /// What it waited until now still comes with the next Take.
  void Remove(uint64_t target, uint64_t now_ns);
  void KeepMoments(std::unordered_set<uint64_t> targets);
  bool IsEmpty() const { return probe_->IsEmpty(); }

  /// When the next scan is due: at random, for what is watched may have a beat of its own.
  uint64_t DueNs() const { return due_ns_; }
  void Scan(uint64_t now_ns, UnwoundProcesses& processes, Aggregate& samples);
  WaitBatch Take(uint64_t now_ns);
  WaitScanCounts Count() const;

 private:
  struct Target {
    uint64_t least_ns = 0;
    uint64_t looked_ns = 0;
    uint64_t lost_ns = 0;
    WaitTotals told = {};  ///< already handed over
    bool is_leaving = false;
    WaitTotals last = {};  ///< when it was removed
  };
  /// A wait that goes on, or went on when it was last looked at.
  struct Wait {
    uint64_t start_ns = 0;
    uint64_t weight_ns = 0;
    uint64_t scan = 0;  ///< in which it was seen last
    bool has_stack = false;
    fg_cpu_sample_header header = {};
    std::vector<uint64_t> frames;
  };

  bool TakeStack(const ThreadWait& one, UnwoundProcesses& processes, Aggregate& samples);
  void CountNew(UnwoundProcesses& processes, Aggregate& samples);
  uint64_t IntervalOf(uint64_t target, uint64_t now_ns) const;
  void Hand(Wait& wait);
  void DropEnded();
  uint64_t BeyondLeast(const ThreadWait& one, uint64_t now_ns) const;
  std::unordered_map<uint64_t, WaitTotals> Pending(uint64_t now_ns);

  std::unique_ptr<WaitProbe> probe_;
  uint32_t max_stacks_;
  Aggregate aggregate_;
  std::unordered_set<uint64_t> moment_targets_;
  std::unordered_map<uint64_t, Target> targets_;
  std::unordered_map<uint32_t, Wait> waits_;  ///< by thread
  std::vector<ThreadWait> fresh_;             ///< of this scan, whose stacks are not known
  std::unordered_set<uint32_t> confirmed_;    ///< processes, in this scan
  StillStack stack_;
  std::minstd_rand random_{std::random_device{}()};
  size_t held_frames_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t due_ns_ = 0;
  WaitScanCounts counts_;
};

}  // namespace flamegate
