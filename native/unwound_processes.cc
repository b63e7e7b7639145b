#include "unwound_processes.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace flamegate {
namespace {

// While a JVM compiles, the code of each stack is confirmed for itself, as far as it is in doubt, and
// everything in use once in this time.
constexpr uint64_t kCompilingTrustNs = 1'600'000'000;
// Once it is calm, everything is confirmed once in this time, for all stacks; those that used code that was
// replaced in it are lost.
constexpr uint64_t kCalmTrustNs = 6'400'000'000;
// For so long no newer code was met, and none had gone.
constexpr uint64_t kCalmAfterNs = 20'000'000'000;

// What was not met for once to twice this time is read again when it is. Of the code that 36 JVMs had run in
// half an hour 37 % had not been met for five minutes, 22 % for ten, 7 % for twenty.
constexpr uint64_t kForgetAfterNs = 900'000'000'000;
// Of debug info, of all processes together: as much for each as it can use where there are no more than
// sixteen.
constexpr size_t kMostSharedDebugInfoBytes = 16 * kMostDebugInfoBytes;
constexpr size_t kLeastDebugInfoBytes = 64 << 10;

// A stack that makes no sense may have been left by the frame sizes of code that is gone: it is unwound again
// with everything confirmed. All that comes of the ring at once is younger than that, so once for each time.
bool CastsDoubt(std::span<const uint64_t> frames) {
  return !frames.empty() && EndsStack(frames.back()) && frames.back() != MarkFrame(Mark::kUnreadable);
}

}  // namespace

void UnwoundProcesses::Add(uint32_t pid, const std::optional<HotspotLayout>& layout, Aggregate& aggregate) {
  Remove(pid, aggregate);
  Process process = {std::make_unique<StackUnwinder>(static_cast<pid_t>(pid), layout), {}, {}};
  if (layout) {
    process.places = {static_cast<uint64_t>(std::max<int64_t>(layout->total_collections_address, 0)),
                      static_cast<uint64_t>(std::max<int64_t>(layout->is_gc_active_address, 0))};
  }
  processes_.emplace(pid, std::move(process));
  ShareDebugInfo();
}

void UnwoundProcesses::Remove(uint32_t pid, Aggregate& aggregate) {
  auto process = processes_.find(pid);
  if (process == processes_.end()) return;
  Settle(process->second, aggregate);
  Collect(pid, *process->second.unwinder);
  processes_.erase(process);
  ShareDebugInfo();
}

void UnwoundProcesses::ShareDebugInfo() {
  size_t share = kMostSharedDebugInfoBytes / std::max<size_t>(processes_.size(), 1);
  size_t bytes = std::clamp(share, kLeastDebugInfoBytes, kMostDebugInfoBytes);
  for (auto& [pid, process] : processes_) process.unwinder->LimitDebugInfo(bytes);
}

void UnwoundProcesses::FollowCoroutines(uint32_t pid, const HeapLayout& heap) {
  auto process = processes_.find(pid);
  if (process != processes_.end()) process->second.unwinder->FollowCoroutines(heap);
}

bool UnwoundProcesses::AreCalm(uint64_t now_ns) const {
  return std::all_of(processes_.begin(), processes_.end(), [now_ns](auto& each) {
    return each.second.is_calm || now_ns > each.second.sampled_ns + kCalmTrustNs;
  });
}

// A sample may still be in the ring when its process is removed: then its leaf is all there is to say.
void UnwoundProcesses::Unwind(const StackRecord& record, Aggregate& aggregate) {
  if ((record.header->flags & FG_SAMPLE_GC_ACTIVE) != 0) counts_.in_pause++;
  auto known = processes_.find(record.header->pid);
  if (known == processes_.end()) {
    const std::array frames = {record.thread.registers[kInstructionPointer], MarkFrame(Mark::kUnreadable)};
    PendingStacks leaf;
    leaf.Add(*record.header, record.kernel_frames, frames, {});
    leaf.Flush({}, aggregate, counts_);
    return;
  }
  Process& process = known->second;
  process.sampled_ns = record.header->time_ns;
  const std::vector<uint64_t>* frames = &process.unwinder->Unwind(record.thread);
  bool is_doubtful = CastsDoubt(*frames) && std::exchange(process.may_doubt, false);
  if (is_doubtful || (process.is_calm && process.unwinder->HasChanged())) {
    Settle(process, aggregate);
    process.unwinder->SetCareful(true);
    frames = &process.unwinder->Unwind(record.thread);
    process.unwinder->SetCareful(!process.is_calm);
  }
  process.unwinder->CountChains();
  process.pending.Add(*record.header, record.kernel_frames, *frames, process.unwinder->Uses());
  if (process.pending.IsFull()) Settle(process, aggregate);
}

void UnwoundProcesses::SettleDue(uint64_t now_ns, Aggregate& aggregate) {
  for (auto& [pid, process] : processes_) {
    process.may_doubt = true;
    if (now_ns >= process.forgot_ns + kForgetAfterNs) {
      process.forgot_ns = now_ns;
      Settle(process, aggregate);
      process.unwinder->ForgetUnused();
    }
    if (now_ns < process.settled_ns + (process.is_calm ? kCalmTrustNs : kCompilingTrustNs)) continue;
    process.settled_ns = now_ns;
    if (!process.pending.IsEmpty()) Settle(process, aggregate);
  }
}

void UnwoundProcesses::SettleAll(Aggregate& aggregate) {
  for (auto& [pid, process] : processes_) {
    if (!process.pending.IsEmpty()) Settle(process, aggregate);
  }
}

void UnwoundProcesses::Settle(Process& process, Aggregate& aggregate) {
  bool has_changed = process.unwinder->HasChanged();
  ReplacedCode replaced = process.unwinder->Settle();
  if (has_changed || !replaced.IsEmpty()) process.changed_ns = process.sampled_ns;
  process.is_calm = process.sampled_ns > process.changed_ns + kCalmAfterNs;
  process.unwinder->SetCareful(!process.is_calm);
  process.pending.Flush(replaced, aggregate, counts_);
}

std::optional<CollectionPlaces> UnwoundProcesses::PlacesOf(uint32_t pid) const {
  auto process = processes_.find(pid);
  return process == processes_.end() ? std::nullopt : std::optional(process->second.places);
}

void UnwoundProcesses::Confirm(uint32_t pid, Aggregate& aggregate) {
  auto process = processes_.find(pid);
  if (process != processes_.end()) Settle(process->second, aggregate);
}

const std::vector<uint64_t>& UnwoundProcesses::UnwindAtOnce(uint32_t pid, const ThreadSnapshot& thread) {
  auto process = processes_.find(pid);
  if (process == processes_.end()) return none_;
  StackUnwinder& unwinder = *process->second.unwinder;
  unwinder.SetCareful(true);
  const std::vector<uint64_t>& frames = unwinder.Unwind(thread);
  unwinder.CountChains();
  unwinder.SetCareful(!process->second.is_calm);
  return frames;
}

std::vector<ProcessNews> UnwoundProcesses::TakeNews() {
  for (auto& [pid, process] : processes_) Collect(pid, *process.unwinder);
  return std::exchange(news_, {});
}

const UnwindCounts& UnwoundProcesses::Counts() {
  for (auto& [pid, process] : processes_) counts_.Add(process.unwinder->TakeCounts());
  return counts_;
}

void UnwoundProcesses::Collect(uint32_t pid, StackUnwinder& unwinder) {
  counts_.Add(unwinder.TakeCounts());
  ProcessNews news = {pid, unwinder.TakeNewMethods(), unwinder.TakeNewNames(), unwinder.TakeNewClasses()};
  if (!news.methods.empty() || !news.names.empty() || !news.classes.empty()) news_.push_back(std::move(news));
}

}  // namespace flamegate
