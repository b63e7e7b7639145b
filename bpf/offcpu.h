/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/offcpu.bpf.c and native/ agree on: nothing but types and bounds. A change of any of them is a new
 * version. */
#ifndef FLAMEGATE_OFFCPU_H
#define FLAMEGATE_OFFCPU_H

#include <linux/types.h>

#include "cpu.h"

#define FG_OFFCPU_ABI_VERSION 1

/* Targets by the lowest bits of their ids: what no bit is set for is nobody's business. */
#define FG_FILTER_BITS 4096

/* What a thread was doing when it gave up its CPU, as the kernel sees it. */
enum fg_wait_kind {
  FG_WAIT_RUNQUEUE, /* nothing: it was preempted, and waits for a CPU */
  FG_WAIT_FUTEX,
  FG_WAIT_SLEEP,
  FG_WAIT_EVENTS, /* epoll */
  FG_WAIT_POLL,   /* poll and select */
  FG_WAIT_SOCKET,
  FG_WAIT_FILE,
  FG_WAIT_MEMORY, /* a page fault, or a change of its address space */
  FG_WAIT_OTHER,
  FG_WAIT_KINDS,
};

/* Set before load. */
struct fg_offcpu_knobs {
  __u32 abi_version;
  __u32 filter; /* enum fg_filter */
};
FG_STATIC_ASSERT(sizeof(struct fg_offcpu_knobs) == 8, "knobs are ABI");

struct fg_offcpu_filter {
  __u64 bits[FG_FILTER_BITS / 64];
};

/* Waits that have ended. */
struct fg_wait_total {
  __u64 waits; /* that lasted for the least time */
  __u64 ns;    /* what they lasted beyond it */
};

/* One per target, under its key: a cgroup v2 id or a pid. */
struct fg_wait_target {
  __u64 least_ns;
  struct fg_wait_total by_kind[FG_WAIT_KINDS];
};
FG_STATIC_ASSERT(sizeof(struct fg_wait_target) == 8 + 16 * 9, "targets are ABI");

/* One per thread of the targets, under its id of the initial pid namespace. It is overwritten when the thread
 * waits again, so only two equal looks at it, before and after its stack was read, are a look at one wait. */
struct fg_wait {
  __u64 start_ns; /* CLOCK_MONOTONIC; 0 while it does not wait */
  __u64 ran_ns;   /* what the thread had run in its life */
  __u64 target;
  __u32 pid;
  __u32 kind;                    /* enum fg_wait_kind */
  __u64 registers[FG_REGISTERS]; /* of user space, in DWARF's order */
};
FG_STATIC_ASSERT(sizeof(struct fg_wait) == 32 + 8 * 17, "waits are ABI");

struct fg_offcpu_counters {
  __u64 threads_full; /* switches of threads that had no room in the table */
};

#endif
