#include "io_stacks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "frame_word.h"

namespace flamegate {

// The copy is some milliseconds old: as with a sample, what is known of the process's code is confirmed after
// it was made.
bool IoStacks::Add(const StackRecord& record, UnwoundProcesses& processes, Aggregate& samples) {
  if (record.kernel_frames.size() != FG_IO_CALL_FRAMES) return false;
  fg_io_call call;
  memcpy(&call, record.kernel_frames.data(), sizeof(call));
  if (call.kind >= FG_IO_KINDS || call.calls == 0) return false;

  fg_cpu_sample_header header = *record.header;
  processes.Confirm(header.pid, samples);
  const std::vector<uint64_t>& user = processes.UnwindAtOnce(header.pid, record.thread);
  if (!user.empty() && EndsStack(user.back())) header.flags |= FG_SAMPLE_USER_TRUNCATED;
  header.kernel_frames = 1;
  header.user_frames = static_cast<__u16>(user.size());
  frames_.assign({call.kind});
  frames_.insert(frames_.end(), user.begin(), user.end());
  if (!user.empty() && aggregate_.Add(header, frames_, std::max<uint64_t>(call.ns, 1), call.calls))
    return true;
  IoLosses& lost = lost_[header.target];
  lost.calls += call.calls;
  lost.ns += call.ns;
  return true;
}

IoStacks::Taken IoStacks::Take() {
  return {std::exchange(aggregate_, Aggregate(max_stacks_)), std::exchange(lost_, {})};
}

}  // namespace flamegate
