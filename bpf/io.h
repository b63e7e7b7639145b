/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/io.bpf.c and native/ agree on: nothing but types and bounds. A change of any of them is a new
 * version. */
#ifndef FLAMEGATE_IO_H
#define FLAMEGATE_IO_H

#include <linux/types.h>

#include "cpu.h"

#define FG_IO_ABI_VERSION 1

/* By the system call, and by what its descriptor is of. What is neither a file nor a socket (pipes, events)
 * is none of them. */
enum fg_io_kind {
  FG_IO_FILE_READ,
  FG_IO_FILE_WRITE,
  FG_IO_FILE_SYNC,
  FG_IO_SOCKET_RECEIVE,
  FG_IO_SOCKET_SEND,
  FG_IO_KINDS,
};

/* How long calls took: below 1,024 ns, then up to twice as long each, and the last from 4.3 s on. */
#define FG_IO_BUCKET_BITS 10
#define FG_IO_BUCKETS 24

/* Stacks of one sort of call that are taken in a second on one CPU: more are drawn by lot, as many as came in
 * the second before. A second that has four times as many as it should loses the rest. A stack takes some 3
 * µs of the thread that is watched, and 30 µs of the agent. */
#define FG_IO_STACKS 16
#define FG_IO_MOST_STACKS 64
#define FG_IO_PERIOD_NS 1000000000ull

/* Sorts of calls whose stacks are drawn apart: by kind those that were slow, and syncs that were not. */
#define FG_IO_QUICK_SYNCS FG_IO_KINDS
#define FG_IO_LOTS (FG_IO_KINDS + 1)

/* Beside those of bpf/cpu.h, in the same ring. */
enum fg_io_record_kind {
  FG_RECORD_IO_STACK =
      3, /* struct fg_cpu_stack, with a struct fg_io_call in the place of two kernel frames */
};

/* The call a stack was taken at the end of, and those like it for which none was. */
struct fg_io_call {
  __u64 ns;    /* that all of them took */
  __u32 calls; /* for how many it stands */
  __u32 kind;  /* enum fg_io_kind */
};
#define FG_IO_CALL_FRAMES 2
FG_STATIC_ASSERT(sizeof(struct fg_io_call) == FG_IO_CALL_FRAMES * 8, "records are ABI");

/* Set before load. */
struct fg_io_knobs {
  __u32 abi_version;
  __u32 filter; /* enum fg_filter */
};
FG_STATIC_ASSERT(sizeof(struct fg_io_knobs) == 8, "knobs are ABI");

/* Calls that have ended well, and how many did not. */
struct fg_io_total {
  __u64 calls;
  __u64 failed;
  __u64 bytes;
  __u64 ns;
  __u64 buckets[FG_IO_BUCKETS];
};
FG_STATIC_ASSERT(sizeof(struct fg_io_total) == 8 * 28, "targets are ABI");

struct fg_io_lot {
  __u64 begun_ns;
  __u32 seen;
  __u32 taken;
  __u32 one_in; /* of how many one is taken */
  __u32 unused;
};

/* One per target and CPU, under the target's key: a cgroup v2 id or a pid. */
struct fg_io_target {
  struct fg_io_total totals[FG_IO_KINDS];
  __u64 unseen;     /* calls that are in no total: there was no room to note their beginning */
  __u64 lost_calls; /* whose stacks were due and could not be had */
  __u64 lost_ns;
  struct fg_io_lot lots[FG_IO_LOTS];
};
FG_STATIC_ASSERT(sizeof(struct fg_io_target) == 8 * 28 * 5 + 24 + 24 * 6, "targets are ABI");

#endif
