#include "brief_slice.h"

#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace flamegate {
namespace {

// The least that the kernel takes. The default is 3 ms, for which a thread waits that shares a busy CPU.
constexpr __u64 kSliceNs = 100'000;

// As in linux/sched/types.h, which cannot be included together with sched.h of the C library.
struct SchedAttributes {
  __u32 size;
  __u32 policy;
  __u64 flags;
  __s32 nice;
  __u32 priority;
  __u64 runtime;
  __u64 deadline;
  __u64 period;
};

}  // namespace

void PreferBriefSlices() {
  SchedAttributes attributes = {};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  attributes.runtime = kSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace flamegate
