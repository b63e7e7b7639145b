#include "wait_scan.h"

#include <algorithm>
#include <utility>

#include "frame_word.h"
#include "monotonic_clock.h"

namespace flamegate {
namespace {

// Twenty scans a second: a function that is waited in for a tenth of ten seconds is seen some twenty times.
// A stack takes some 35 µs of a core.
constexpr uint64_t kLeastRestNs = 25'000'000;
constexpr uint64_t kMostRestNs = 75'000'000;
// Holds a core for a millisecond; a pool of two hundred idle threads is known after a second.
constexpr size_t kMostNewStacks = 16;
// 2 MB; three hundred threads that wait have some 15,000 frames.
constexpr size_t kMostHeldFrames = 256 << 10;

fg_cpu_sample_header HeaderOf(const ThreadWait& one) {
  fg_cpu_sample_header header = {};
  header.target = one.wait.target;
  header.pid = one.wait.pid;
  header.tid = one.tid;
  header.time_ns = one.wait.start_ns;
  header.kernel_frames = 1;
  return header;
}

WaitTotals Sum(WaitTotals totals, const WaitTotals& more) {
  for (size_t kind = 0; kind < totals.size(); kind++) {
    totals[kind].waits += more[kind].waits;
    totals[kind].ns += more[kind].ns;
  }
  return totals;
}

// A wait that ends between two looks may be in both the sums that the former was made of.
WaitTotals Since(WaitTotals totals, const WaitTotals& before) {
  for (size_t kind = 0; kind < totals.size(); kind++) {
    totals[kind].waits -= std::min(totals[kind].waits, before[kind].waits);
    totals[kind].ns -= std::min(totals[kind].ns, before[kind].ns);
  }
  return totals;
}

}  // namespace

bool WaitScan::Add(uint64_t target, uint64_t least_ns, uint64_t now_ns, Failure& failure) {
  if (!probe_->Add(target, least_ns, failure)) return false;
  auto known = targets_.find(target);
  if (known != targets_.end() && !known->second.is_leaving) {
    known->second.least_ns = least_ns;
    return true;
  }
  Target& added = targets_[target];
  added = {};
  added.least_ns = least_ns;
  added.looked_ns = now_ns;
  return true;
}

void WaitScan::Remove(uint64_t target, uint64_t now_ns) {
  auto known = targets_.find(target);
  if (known == targets_.end() || known->second.is_leaving) return;
  WaitTotals pending = Pending(now_ns)[target];
  known->second.last = Sum(probe_->Remove(target).value_or(WaitTotals()), pending);
  known->second.is_leaving = true;
}

void WaitScan::KeepMoments(std::unordered_set<uint64_t> targets) {
  moment_targets_ = std::move(targets);
  aggregate_.KeepMoments(moment_targets_);
}

// A wait without a stack, of a process that was not known then, is looked at anew once it is.
void WaitScan::Scan(uint64_t now_ns, UnwoundProcesses& processes, Aggregate& samples) {
  now_ns_ = now_ns;
  due_ns_ = now_ns + std::uniform_int_distribution<uint64_t>(kLeastRestNs, kMostRestNs)(random_);
  counts_.scans++;
  confirmed_.clear();
  fresh_.clear();
  for (const ThreadWait& one : probe_->List()) {
    if (BeyondLeast(one, now_ns) == 0) continue;
    auto known = waits_.find(one.tid);
    bool is_known = known != waits_.end() && known->second.start_ns == one.wait.start_ns;
    if (!is_known || (known->second.header.user_frames == 0 && processes.PlacesOf(one.wait.pid))) {
      fresh_.push_back(one);
      continue;
    }
    known->second.scan = counts_.scans;
    known->second.weight_ns += IntervalOf(one.wait.target, now_ns);
  }
  DropEnded();
  CountNew(processes, samples);
  for (auto& [id, target] : targets_) target.looked_ns = now_ns;
  counts_.scan_ns += MonotonicNs() - now_ns;
}

// The stacks that are taken stand for all that have begun: each weighs as much more as there are more.
void WaitScan::CountNew(UnwoundProcesses& processes, Aggregate& samples) {
  size_t taking = std::min(fresh_.size(), kMostNewStacks);
  std::vector<uint32_t> taken;
  for (size_t i = 0; i < taking; i++) {
    size_t chosen = std::uniform_int_distribution<size_t>(i, fresh_.size() - 1)(random_);
    std::swap(fresh_[i], fresh_[chosen]);
    if (TakeStack(fresh_[i], processes, samples))
      taken.push_back(fresh_[i].tid);
    else
      counts_.moved++;
  }
  if (taken.empty()) {
    for (const ThreadWait& one : fresh_) {
      Target& target = targets_[one.wait.target];
      target.lost_ns += now_ns_ - target.looked_ns;
    }
    return;
  }
  for (uint32_t tid : taken) {
    Wait& wait = waits_[tid];
    wait.weight_ns = IntervalOf(wait.header.target, now_ns_) * fresh_.size() / taken.size();
  }
}

bool WaitScan::TakeStack(const ThreadWait& one, UnwoundProcesses& processes, Aggregate& samples) {
  uint32_t pid = one.wait.pid;
  std::optional<CollectionPlaces> places = processes.PlacesOf(pid);
  if (places && confirmed_.insert(pid).second) processes.Confirm(pid, samples);
  bool is_read = places && stack_.Read(static_cast<pid_t>(pid), one.wait.registers, *places);
  if (!probe_->IsStill(one)) return false;

  Wait wait;
  wait.start_ns = one.wait.start_ns;
  wait.scan = counts_.scans;
  wait.header = HeaderOf(one);
  wait.frames.push_back(WaitFrame(one.wait.kind));
  if (is_read) {
    const std::vector<uint64_t>& frames = processes.UnwindAtOnce(pid, stack_.Thread());
    if (!frames.empty() && EndsStack(frames.back())) wait.header.flags |= FG_SAMPLE_USER_TRUNCATED;
    wait.header.user_frames = static_cast<__u16>(frames.size());
    wait.frames.insert(wait.frames.end(), frames.begin(), frames.end());
  }
  wait.has_stack = held_frames_ + wait.frames.size() <= kMostHeldFrames;
  if (!wait.has_stack) wait.frames = {};
  held_frames_ += wait.frames.size();
  waits_[one.tid] = std::move(wait);
  counts_.waits++;
  return true;
}

// A thread's new wait has its place only from CountNew on: what is there still is of the one before.
void WaitScan::DropEnded() {
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    if (wait->second.scan == counts_.scans) {
      ++wait;
      continue;
    }
    Hand(wait->second);
    held_frames_ -= wait->second.frames.size();
    wait = waits_.erase(wait);
  }
}

void WaitScan::Hand(Wait& wait) {
  uint64_t weight_ns = std::exchange(wait.weight_ns, 0);
  if (weight_ns == 0) return;
  if (wait.has_stack && aggregate_.Add(wait.header, wait.frames, weight_ns)) return;
  auto target = targets_.find(wait.header.target);
  if (target != targets_.end()) target->second.lost_ns += weight_ns;
}

uint64_t WaitScan::IntervalOf(uint64_t target, uint64_t now_ns) const {
  auto known = targets_.find(target);
  return known == targets_.end() ? 0 : now_ns - known->second.looked_ns;
}

uint64_t WaitScan::BeyondLeast(const ThreadWait& one, uint64_t now_ns) const {
  auto target = targets_.find(one.wait.target);
  if (target == targets_.end() || target->second.is_leaving) return 0;
  uint64_t counts_from_ns = one.wait.start_ns + target->second.least_ns;
  return now_ns > counts_from_ns ? now_ns - counts_from_ns : 0;
}

std::unordered_map<uint64_t, WaitTotals> WaitScan::Pending(uint64_t now_ns) {
  std::unordered_map<uint64_t, WaitTotals> pending;
  for (const ThreadWait& one : probe_->List()) {
    uint64_t beyond_ns = BeyondLeast(one, now_ns);
    if (beyond_ns == 0 || one.wait.kind >= FG_WAIT_KINDS) continue;
    fg_wait_total& total = pending[one.wait.target][one.wait.kind];
    total.waits++;
    total.ns += beyond_ns;
  }
  return pending;
}

// A wait that goes on counts with what it lasted until now, and not again when it ends.
WaitBatch WaitScan::Take(uint64_t now_ns) {
  for (auto& [tid, wait] : waits_) Hand(wait);
  std::unordered_map<uint64_t, WaitTotals> pending = Pending(now_ns);
  WaitBatch batch{std::exchange(aggregate_, Aggregate(max_stacks_)), {}};
  aggregate_.KeepMoments(moment_targets_);
  for (auto& [id, target] : targets_) {
    WaitTotals all = target.is_leaving ? target.last : Sum(probe_->TotalsOf(id), pending[id]);
    WaitTotals since = Since(all, std::exchange(target.told, all));
    batch.targets.push_back({id, std::exchange(target.lost_ns, 0), since});
  }
  std::erase_if(targets_, [](const auto& entry) { return entry.second.is_leaving; });
  return batch;
}

WaitScanCounts WaitScan::Count() const {
  WaitScanCounts counts = counts_;
  counts.probe = probe_->Count();
  return counts;
}

}  // namespace flamegate
