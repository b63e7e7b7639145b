#include "unwound_processes.h"

#include <utility>

namespace flamegate {

void UnwoundProcesses::Add(uint32_t pid, const std::optional<HotspotLayout>& layout) {
  Remove(pid);
  unwinders_.emplace(pid, std::make_unique<StackUnwinder>(static_cast<pid_t>(pid), layout));
}

void UnwoundProcesses::Remove(uint32_t pid) {
  auto unwinder = unwinders_.find(pid);
  if (unwinder == unwinders_.end()) return;
  Collect(pid, *unwinder->second);
  unwinders_.erase(unwinder);
}

void UnwoundProcesses::FollowCoroutines(uint32_t pid, const HeapLayout& heap) {
  auto unwinder = unwinders_.find(pid);
  if (unwinder != unwinders_.end()) unwinder->second->FollowCoroutines(heap);
}

// A sample may still be in the ring when its process is removed: then its leaf is all there is to say.
UnwoundProcesses::Stack UnwoundProcesses::Unwind(const StackRecord& record) {
  frames_.assign(record.kernel_frames.begin(), record.kernel_frames.end());
  if ((record.header->flags & FG_SAMPLE_GC_ACTIVE) != 0) counts_.in_pause++;
  auto unwinder = unwinders_.find(record.header->pid);
  if (unwinder == unwinders_.end()) {
    frames_.insert(frames_.end(),
                   {record.thread.registers[kInstructionPointer], MarkFrame(Mark::kUnreadable)});
    counts_.by_mark[static_cast<size_t>(Mark::kUnreadable)]++;
    return {frames_, 2, false};
  }
  const std::vector<uint64_t>* user = nullptr;
  bool is_complete = unwinder->second->Unwind(record.thread, record.header->time_ns, user);
  frames_.insert(frames_.end(), user->begin(), user->end());
  return {frames_, user->size(), is_complete};
}

std::vector<ProcessNews> UnwoundProcesses::TakeNews() {
  for (auto& [pid, unwinder] : unwinders_) Collect(pid, *unwinder);
  return std::exchange(news_, {});
}

const UnwindCounts& UnwoundProcesses::Counts() {
  for (auto& [pid, unwinder] : unwinders_) counts_.Add(unwinder->TakeCounts());
  return counts_;
}

void UnwoundProcesses::Collect(uint32_t pid, StackUnwinder& unwinder) {
  counts_.Add(unwinder.TakeCounts());
  ProcessNews news = {pid, unwinder.TakeNewMethods(), unwinder.TakeNewNames(), unwinder.TakeNewClasses()};
  if (!news.methods.empty() || !news.names.empty() || !news.classes.empty()) news_.push_back(std::move(news));
}

}  // namespace flamegate
