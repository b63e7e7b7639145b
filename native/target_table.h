#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cpu.h"
#include "failure.h"

namespace flamegate {

/// Who is sampled, what part of the clock's ticks is kept, and how many samples of each the full ring lost.
/// The maps are not owned.
class TargetTable {
 public:
  TargetTable(int map_fd, int thinned_fd, uint32_t max_targets, int possible_cpus)
      : map_fd_(map_fd),
        thinned_fd_(thinned_fd),
        max_targets_(max_targets),
        value_(static_cast<size_t>(possible_cpus)) {}

  /// Adding a target twice, or removing one that is not there, changes nothing.
  bool Add(uint64_t target, Failure& failure);
  bool Remove(uint64_t target, Failure& failure);
  /// Keeps this part of a target's ticks, above 0; of one that is not there it changes nothing.
  bool Thin(uint64_t target, double part, Failure& failure);

  /// Per target that was in the table since the last call: the samples the ring lost since then.
  std::unordered_map<uint64_t, uint64_t> TakeRingLosses();

 private:
  uint64_t SumOfValue() const;

  int map_fd_;
  int thinned_fd_;
  uint32_t max_targets_;
  std::vector<fg_target_counters> value_;             ///< one per possible CPU, as the kernel hands it out
  std::unordered_map<uint64_t, uint64_t> told_;       ///< live target → its losses already handed over
  std::unordered_map<uint64_t, uint64_t> left_over_;  ///< removed target → losses not yet handed over
};

}  // namespace flamegate
