/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/cpu.bpf.c and native/ agree on: nothing but types and bounds. A change of any of them is a new
 * version. */
#ifndef FLAMEGATE_CPU_H
#define FLAMEGATE_CPU_H

#include <linux/types.h>

#ifdef __cplusplus
#define FG_STATIC_ASSERT static_assert
#else
#define FG_STATIC_ASSERT _Static_assert
#endif

#define FG_CPU_ABI_VERSION 1

/* The default of kernel.perf_event_max_stack: the kernel itself walks no deeper unless the node was told to.
 */
#define FG_MAX_USER_FRAMES 127
/* A kernel stack has 16 KB, and a frame takes over 100 bytes on average: stacks seen end below 50. Half of
 * the user bound keeps the record below 1.6 KB. */
#define FG_MAX_KERNEL_FRAMES 64

enum fg_record_kind { FG_RECORD_CPU_SAMPLE = 1 };

enum fg_filter { FG_FILTER_CGROUP = 1, FG_FILTER_PID = 2 };

enum fg_sample_flag {
  FG_SAMPLE_USER_TRUNCATED = 1,
  FG_SAMPLE_KERNEL_TRUNCATED = 2,
};

/* Every tick is SEEN; it is then IDLE, FILTERED, RING_FULL or in the ring. The others describe matched ticks.
 */
enum fg_cause {
  FG_CAUSE_SEEN,
  FG_CAUSE_IDLE,
  FG_CAUSE_FILTERED,
  FG_CAUSE_RING_FULL,
  FG_CAUSE_NO_USER_STACK,
  FG_CAUSE_USER_TRUNCATED,
  FG_CAUSE_KERNEL_TRUNCATED,
  FG_CAUSE_COUNT,
};

/* Set before load. */
struct fg_cpu_knobs {
  __u32 abi_version;
  __u32 filter;          /* enum fg_filter */
  __u32 max_user_frames; /* a stack of this depth counts as truncated: FG_MAX_USER_FRAMES or the node's lower
                            sysctl */
  __u32 reserved;
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_knobs) == 16, "knobs are ABI");

/* One per CPU. */
struct fg_cpu_counters {
  __u64 by_cause[FG_CAUSE_COUNT];
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_counters) == 8 * 7, "counters are ABI");

/* One per target and CPU, under the target's key: a cgroup v2 id or a pid. */
struct fg_target_counters {
  __u64 ring_full;
};
FG_STATIC_ASSERT(sizeof(struct fg_target_counters) == 8, "counters are ABI");

/* Followed by kernel_frames, then user_frames addresses (__u64), each part leaf first. */
struct fg_cpu_sample_header {
  __u16 version;
  __u16 kind;  /* enum fg_record_kind */
  __u32 flags; /* enum fg_sample_flag */
  __u32 cpu;
  __u32 pid; /* of the initial pid namespace, as tid */
  __u32 tid;
  __u16 kernel_frames;
  __u16 user_frames;
  __u64 target;
  __u64 time_ns; /* CLOCK_MONOTONIC */
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_sample_header) == 40, "records are ABI");

struct fg_cpu_sample {
  struct fg_cpu_sample_header header;
  __u64 frames[FG_MAX_KERNEL_FRAMES + FG_MAX_USER_FRAMES];
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_sample) == 40 + 8 * (64 + 127), "records are ABI");

#endif
