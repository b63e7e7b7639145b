#include "target_table.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace flamegate {

bool TargetTable::Add(uint64_t target, Failure& failure) {
  if (told_.contains(target)) return true;
  if (told_.size() == max_targets_) {
    failure = {"SAMPLER_TARGETS_FULL", "adding a target", E2BIG, {}};
    return false;
  }
  value_.assign(value_.size(), {});
  if (bpf_map_update_elem(map_fd_, &target, value_.data(), BPF_NOEXIST) != 0) {
    failure = {"SAMPLER_TARGET_FAILED", "adding a target", errno, {}};
    return false;
  }
  told_[target] = 0;
  return true;
}

// Look-up and removal in one call, so that no loss is counted in between.
bool TargetTable::Remove(uint64_t target, Failure& failure) {
  auto told = told_.find(target);
  if (told == told_.end()) return true;
  if (bpf_map_lookup_and_delete_elem(map_fd_, &target, value_.data()) != 0) {
    failure = {"SAMPLER_TARGET_FAILED", "removing a target", errno, {}};
    return false;
  }
  left_over_[target] += SumOfValue() - told->second;
  told_.erase(told);
  bpf_map_delete_elem(thinned_fd_, &target);
  return true;
}

bool TargetTable::Thin(uint64_t target, double part, Failure& failure) {
  if (!told_.contains(target)) return true;
  if (part >= 1) {
    bpf_map_delete_elem(thinned_fd_, &target);
    return true;
  }
  uint32_t keep = static_cast<uint32_t>(part * UINT32_MAX);
  if (bpf_map_update_elem(thinned_fd_, &target, &keep, BPF_ANY) == 0) return true;
  failure = {"SAMPLER_TARGET_FAILED", "thinning a target", errno, {}};
  return false;
}

std::unordered_map<uint64_t, uint64_t> TargetTable::TakeRingLosses() {
  std::unordered_map<uint64_t, uint64_t> losses = std::exchange(left_over_, {});
  for (auto& [target, told] : told_) {
    uint64_t& loss = losses[target];
    if (bpf_map_lookup_elem(map_fd_, &target, value_.data()) != 0)
      continue;  // impossible; told with the next call
    uint64_t now = SumOfValue();
    loss += now - told;
    told = now;
  }
  return losses;
}

uint64_t TargetTable::SumOfValue() const {
  uint64_t sum = 0;
  for (const fg_target_counters& cpu : value_) sum += cpu.ring_full;
  return sum;
}

}  // namespace flamegate
