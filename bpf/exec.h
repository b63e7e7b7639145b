/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What bpf/exec.bpf.c and native/ agree on: nothing but types and bounds. */
#ifndef FLAMEGATE_EXEC_H
#define FLAMEGATE_EXEC_H

#include <linux/types.h>

#ifdef __cplusplus
#define FG_STATIC_ASSERT static_assert
#else
#define FG_STATIC_ASSERT _Static_assert
#endif

#define FG_EXEC_ABI_VERSION 1

/* A container lies five to seven levels below the root, on a node that is itself a container a few more. */
#define FG_MAX_CGROUP_DEPTH 16
/* 2,700 execs: what a node's pods start in a minute, probes and all. It is read at once. */
#define FG_EXEC_RING_BYTES 65536

/* Set before load. */
struct fg_exec_knobs {
  __u32 abi_version;
  __u32 reserved;
  __u64 ancestor; /* cgroup v2 id: only what execs below it is told; 0 is everything */
};
FG_STATIC_ASSERT(sizeof(struct fg_exec_knobs) == 16, "knobs are ABI");

struct fg_exec {
  __u32 pid; /* of the initial pid namespace */
  __u32 reserved;
  __u64 time_ns; /* CLOCK_MONOTONIC */
};
FG_STATIC_ASSERT(sizeof(struct fg_exec) == 16, "records are ABI");

#endif
