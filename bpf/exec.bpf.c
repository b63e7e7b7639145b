/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Tells user space that a process of a pod has just begun to run another program, so that it can be met in
 * its first moments. It filters and passes on; whose pod that is, user space finds out. A raw tracepoint, for
 * attaching to it needs no tracefs, which a container does not have. Kernel 5.15 or later. */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "exec.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_exec_knobs knobs = {.abi_version = FG_EXEC_ABI_VERSION};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, FG_EXEC_RING_BYTES);
} execs SEC(".maps");

/* Execs the ring had no room for. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} lost SEC(".maps");

/* By its ancestors' ids, for the depth of the pods' cgroup is not the same on each node. */
static __always_inline bool is_below(__u64 ancestor) {
  for (int level = 0; level < FG_MAX_CGROUP_DEPTH; level++) {
    __u64 id = bpf_get_current_ancestor_cgroup_id(level);
    if (id == ancestor) return true;
    if (!id) return false;
  }
  return false;
}

SEC("raw_tp/sched_process_exec")
int on_exec(void* ctx) {
  (void)ctx;
  if (knobs.ancestor && !is_below(knobs.ancestor)) return 0;
  struct fg_exec event = {.pid = bpf_get_current_pid_tgid() >> 32, .time_ns = bpf_ktime_get_ns()};
  if (bpf_ringbuf_output(&execs, &event, sizeof(event), 0)) {
    __u32 zero = 0;
    __u64* count = bpf_map_lookup_elem(&lost, &zero);
    if (count) __sync_fetch_and_add(count, 1);
  }
  return 0;
}
