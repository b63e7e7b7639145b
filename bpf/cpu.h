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

#define FG_CPU_ABI_VERSION 5

/* The default of kernel.perf_event_max_stack: the kernel itself walks no deeper unless the node was told to.
 */
#define FG_MAX_USER_FRAMES 127
/* A kernel stack has 16 KB, and a frame takes over 100 bytes on average: stacks seen end below 50. Half of
 * the user bound keeps the record below 1.6 KB. */
#define FG_MAX_KERNEL_FRAMES 64

/* What is copied of one user stack at most; deeper ones come without their root. Java stacks of a service
 * seen under load need 6 KB in the middle and 15 KB at the most; a Spring service that starts, in the
 * interpreter, has over 32 KB in one sample of twenty. */
#define FG_MAX_STACK_BYTES 65536
/* Leaf functions of the x86-64 ABI keep values below the stack pointer. */
#define FG_RED_ZONE_BYTES 128
/* Around the instruction pointer: prologues and epilogues are told by their instructions. */
#define FG_CODE_BYTES_BEFORE 8
#define FG_CODE_BYTES 32
/* In DWARF's order: rax rdx rcx rbx rsi rdi rbp rsp r8 … r15 rip. */
#define FG_REGISTERS 17

enum fg_record_kind {
  FG_RECORD_CPU_SAMPLE = 1, /* struct fg_cpu_sample: the user stack as its frame pointers tell it */
  FG_RECORD_CPU_STACK = 2,  /* struct fg_cpu_stack: registers and bytes, unwound later */
};

enum fg_filter { FG_FILTER_CGROUP = 1, FG_FILTER_PID = 2 };

enum fg_sample_flag {
  FG_SAMPLE_USER_TRUNCATED = 1,
  FG_SAMPLE_KERNEL_TRUNCATED = 2,
  FG_SAMPLE_STACK_CUT = 4,  /* the stack is longer than what may be copied of it */
  FG_SAMPLE_GC_ACTIVE = 8,  /* the JVM was in a pause; with FG_SAMPLE_GC_READ only */
  FG_SAMPLE_GC_READ = 16,   /* the JVM's collection counter and pause flag could be read */
  FG_SAMPLE_CODE_READ = 32, /* the bytes around the instruction pointer could be read */
};

/* Every tick is SEEN; it is then IDLE, FILTERED, THINNED, RING_FULL or in the ring. The others describe
 * matched ticks. */
enum fg_cause {
  FG_CAUSE_SEEN,
  FG_CAUSE_IDLE,
  FG_CAUSE_FILTERED,
  FG_CAUSE_RING_FULL,
  FG_CAUSE_NO_USER_STACK,
  FG_CAUSE_USER_TRUNCATED,
  FG_CAUSE_KERNEL_TRUNCATED,
  FG_CAUSE_STACK_CUT,
  FG_CAUSE_STACK_UNREADABLE,  /* not even the page of the stack pointer: the record has registers only */
  FG_CAUSE_NO_USER_REGISTERS, /* a tick inside the kernel where it has no BTF: walked by frame pointers
                                 instead */
  FG_CAUSE_THINNED,           /* of a target that wants fewer than the clock's ticks */
  FG_CAUSE_COUNT,
};

/* Set before load. */
struct fg_cpu_knobs {
  __u32 abi_version;
  __u32 filter;          /* enum fg_filter */
  __u32 max_user_frames; /* a stack of this depth counts as truncated: FG_MAX_USER_FRAMES or the node's lower
                            sysctl */
  __u32 task_registers;  /* 1 where the kernel has BTF, which bpf_get_current_task_btf needs */
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_knobs) == 16, "knobs are ABI");

/* One per CPU. */
struct fg_cpu_counters {
  __u64 by_cause[FG_CAUSE_COUNT];
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_counters) == 8 * 11, "counters are ABI");

/* One per target and CPU, under the target's key: a cgroup v2 id or a pid. */
struct fg_target_counters {
  __u64 ring_full;
};
FG_STATIC_ASSERT(sizeof(struct fg_target_counters) == 8, "counters are ABI");

/* One per process whose stacks are copied, under its pid of the initial namespace; the others are walked. */
struct fg_process {
  __u64 total_collections; /* address of an unsigned int, 0 if there is none */
  __u64 gc_active;         /* address of a bool */
  __u32 max_stack_bytes;
  __u32 wake; /* 1: what belongs to its samples is in its heap, and changes soon */
};
FG_STATIC_ASSERT(sizeof(struct fg_process) == 24, "processes are ABI");

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

/* Followed by kernel_frames addresses, leaf first, then by stack_bytes bytes of the stack from stack_address
 * on. */
struct fg_cpu_stack_header {
  struct fg_cpu_sample_header sample; /* user_frames is 0 */
  __u64 registers[FG_REGISTERS];
  __u64 stack_address; /* the stack pointer less the red zone */
  __u32 stack_bytes;
  __u32 total_collections;  /* before the stack was copied */
  __u8 code[FG_CODE_BYTES]; /* from the instruction pointer less FG_CODE_BYTES_BEFORE on */
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_stack_header) == 40 + 8 * 17 + 16 + 32, "records are ABI");

/* The last page has room behind the longest record: the verifier bounds where a page begins and how long it
 * is apart, not their sum. */
struct fg_cpu_stack {
  struct fg_cpu_stack_header header;
  __u8 data[FG_MAX_KERNEL_FRAMES * 8 + FG_MAX_STACK_BYTES + 4096];
};
FG_STATIC_ASSERT(sizeof(struct fg_cpu_stack) == 224 + 512 + 65536 + 4096, "records are ABI");

#endif
