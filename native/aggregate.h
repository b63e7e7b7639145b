#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cpu.h"

namespace flamegate {

/// What became of a target's samples.
struct Tally {
  uint64_t taken = 0;
  uint64_t table_full = 0;
  uint64_t no_user_stack = 0;
  uint64_t truncated = 0;
};

/// When a sample of a row was taken, and of which thread.
struct Moment {
  uint64_t time_ns;
  uint64_t weight;  ///< of those that are more than counted
  uint32_t row;     ///< where in Rows() its row begins
  uint32_t thread;
};

/// Counts samples by (target, pid, kernel stack, user stack), up to a number of distinct ones; the rest it
/// counts as lost, per target. Not thread-safe.
///
/// A row is laid out as it is handed to JavaScript: target low, target high, pid, count, number of kernel
/// frames, number of user frames, then the frames as indices into Addresses(), kernel first, each part leaf
/// first. What rows weigh, for those that are more than counted, is apart.
class Aggregate {
 public:
  explicit Aggregate(uint32_t max_stacks) : max_stacks_(max_stacks) {}

  /// From now on the moments of these targets' samples are kept, up to a number of all that is kept.
  void KeepMoments(std::unordered_set<uint64_t> targets) { moment_targets_ = std::move(targets); }

  /// Of so many samples alike; `weight` is that of all. False if they were lost.
  bool Add(const fg_cpu_sample_header& header, std::span<const uint64_t> frames, uint64_t weight = 0,
           uint32_t count = 1);

  std::span<const uint64_t> Addresses() const { return addresses_; }
  std::span<const uint32_t> Rows() const { return rows_; }
  uint32_t RowCount() const { return row_count_; }
  /// Of each row that has a weight, in their order: of all, if all were added with one.
  std::vector<uint64_t> Weights() const;
  std::span<const Moment> Moments() const { return moments_; }
  const std::unordered_map<uint64_t, Tally>& Tallies() const { return tallies_; }

 private:
  std::optional<uint32_t> IndexOf(uint64_t address);
  uint32_t* FindSlot(std::span<const uint32_t> row);
  bool SameRow(size_t at, std::span<const uint32_t> row) const;
  void GrowSlots();

  uint32_t max_stacks_;
  uint32_t row_count_ = 0;
  std::vector<uint64_t> addresses_;
  std::unordered_map<uint64_t, uint32_t> index_of_address_;
  std::vector<uint32_t> rows_;
  std::vector<uint32_t> slots_;  ///< open addressing by a row's hash: its offset in rows_ plus one; 0 is free
  std::vector<uint32_t> candidate_;
  std::map<uint32_t, uint64_t> weight_at_;  ///< by a row's offset in rows_ plus one
  std::unordered_set<uint64_t> moment_targets_;
  std::vector<Moment> moments_;
  std::unordered_map<uint64_t, Tally> tallies_;
};

}  // namespace flamegate
