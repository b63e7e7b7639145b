/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The on-CPU sampler: at each tick of a CPU's cpu-clock, who runs there and by which stack, if anybody asked
 * for it. It filters, copies and counts. It needs kernel 5.15 or later, helpers and stable headers; kernel
 * BTF only for the user registers of a tick inside the kernel. */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>
#include <linux/bpf_perf_event.h>

#include "cpu.h"
#include "stack_copy.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_cpu_knobs knobs = {
    .abi_version = FG_CPU_ABI_VERSION,
    .filter = FG_FILTER_CGROUP,
    .max_user_frames = FG_MAX_USER_FRAMES,
};

/* The sizes of ring and targets are set before load. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} ring SEC(".maps");

/* Who is sampled. Only user space inserts, so nothing need be allocated before. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct fg_target_counters);
} targets SEC(".maps");

/* Which of them want fewer than the clock's ticks: the largest of 2^32 random numbers that keeps one. Thinned
 * at random, what is left is what a slower clock would have seen. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u32);
} thinned SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_cpu_counters);
} counters SEC(".maps");

/* Whose stacks are copied. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, struct fg_process);
} processes SEC(".maps");

/* The record is built here, for its size is known only after the walk. perf never nests its BPF programs on
 * one CPU (bpf_prog_active in kernel/events/core.c), so one is enough. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_cpu_sample);
} scratch SEC(".maps");

/* One per CPU, the number of which is set before load: a value of a per-CPU map has no more than 32 KB. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_cpu_stack);
} stack_scratch SEC(".maps");

static __always_inline __u32 frames_of(long bytes) {
  return bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;
}

/* Writes both stacks behind the header; returns how many frames there are. */
static __always_inline __u32 walk(struct bpf_perf_event_data* ctx, struct fg_cpu_sample* sample,
                                  struct fg_cpu_counters* count) {
  __u32 kernel = frames_of(bpf_get_stack(ctx, sample->frames, FG_MAX_KERNEL_FRAMES * sizeof(__u64), 0));
  if (kernel > FG_MAX_KERNEL_FRAMES) return 0; /* never; for the verifier */
  __u32 user = frames_of(
      bpf_get_stack(ctx, sample->frames + kernel, FG_MAX_USER_FRAMES * sizeof(__u64), BPF_F_USER_STACK));
  __u32 flags = 0;

  if (kernel == FG_MAX_KERNEL_FRAMES) {
    flags |= FG_SAMPLE_KERNEL_TRUNCATED;
    count->by_cause[FG_CAUSE_KERNEL_TRUNCATED]++;
  }
  if (user >= knobs.max_user_frames) {
    flags |= FG_SAMPLE_USER_TRUNCATED;
    count->by_cause[FG_CAUSE_USER_TRUNCATED]++;
  }
  if (!user) count->by_cause[FG_CAUSE_NO_USER_STACK]++;

  sample->header.flags = flags;
  sample->header.kernel_frames = kernel;
  sample->header.user_frames = user;
  return kernel + user;
}

static __always_inline void describe(struct fg_cpu_sample_header* header, __u16 kind, __u64 pid_tgid,
                                     __u64 target) {
  header->version = FG_CPU_ABI_VERSION;
  header->kind = kind;
  header->cpu = bpf_get_smp_processor_id();
  header->pid = pid_tgid >> 32;
  header->tid = (__u32)pid_tgid;
  header->target = target;
  header->time_ns = bpf_ktime_get_ns();
}

/* User space looks from time to time; waking it costs as much as the sample, and is for those that cannot
 * wait, and for a ring that fills faster than it is looked at. */
static __always_inline void send(void* record, __u64 bytes, bool wake, struct fg_cpu_counters* count,
                                 struct fg_target_counters* target) {
  wake |= bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 4;
  if (!bpf_ringbuf_output(&ring, record, bytes, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP)) return;
  count->by_cause[FG_CAUSE_RING_FULL]++;
  target->ring_full++;
}

/* Everything of a stack record but who it is of. Returns its size, 0 if there is nothing to unwind. */
static __always_inline __u64 fill(struct bpf_perf_event_data* ctx, struct fg_cpu_stack* record,
                                  const struct fg_process* process, struct fg_cpu_counters* count) {
  struct fg_cpu_stack_header* header = &record->header;
  if (!read_user_registers(ctx, header->registers, knobs.task_registers)) {
    count->by_cause[FG_CAUSE_NO_USER_REGISTERS]++;
    return 0;
  }
  __u32 flags = read_collections(header, process);

  __u32 kernel = frames_of(bpf_get_stack(ctx, record->data, FG_MAX_KERNEL_FRAMES * sizeof(__u64), 0));
  if (kernel > FG_MAX_KERNEL_FRAMES) return 0; /* never; for the verifier */
  if (kernel == FG_MAX_KERNEL_FRAMES) {
    flags |= FG_SAMPLE_KERNEL_TRUNCATED;
    count->by_cause[FG_CAUSE_KERNEL_TRUNCATED]++;
  }

  header->stack_address = header->registers[FG_STACK_POINTER] - FG_RED_ZONE_BYTES;
  header->stack_bytes = copy_stack(record, kernel * sizeof(__u64), process->max_stack_bytes);
  if (!header->stack_bytes) count->by_cause[FG_CAUSE_STACK_UNREADABLE]++;
  if (header->stack_bytes >= process->max_stack_bytes) {
    flags |= FG_SAMPLE_STACK_CUT;
    count->by_cause[FG_CAUSE_STACK_CUT]++;
  }

  header->sample.flags = flags | read_code(header);
  header->sample.kernel_frames = kernel;
  header->sample.user_frames = 0;
  return sizeof(*header) + kernel * sizeof(__u64) + header->stack_bytes;
}

SEC("perf_event")
int on_cpu_tick(struct bpf_perf_event_data* ctx) {
  __u32 zero = 0;
  struct fg_cpu_counters* count = bpf_map_lookup_elem(&counters, &zero);
  struct fg_cpu_sample* sample = bpf_map_lookup_elem(&scratch, &zero);
  if (!count || !sample) return 0; /* never; for the verifier */
  count->by_cause[FG_CAUSE_SEEN]++;

  __u64 pid_tgid = bpf_get_current_pid_tgid();
  __u32 pid = pid_tgid >> 32;
  if (!pid) {
    count->by_cause[FG_CAUSE_IDLE]++;
    return 0;
  }
  __u64 key = knobs.filter == FG_FILTER_PID ? pid : bpf_get_current_cgroup_id();
  struct fg_target_counters* target = bpf_map_lookup_elem(&targets, &key);
  if (!target) {
    count->by_cause[FG_CAUSE_FILTERED]++;
    return 0;
  }
  __u32* keep = bpf_map_lookup_elem(&thinned, &key);
  if (keep && bpf_get_prandom_u32() > *keep) {
    count->by_cause[FG_CAUSE_THINNED]++;
    return 0;
  }

  struct fg_process* process = bpf_map_lookup_elem(&processes, &pid);
  __u32 cpu = bpf_get_smp_processor_id();
  struct fg_cpu_stack* record = process ? bpf_map_lookup_elem(&stack_scratch, &cpu) : 0;
  if (record) {
    __u64 size = fill(ctx, record, process, count);
    if (size && fg_bounded(size, sizeof(*record))) {
      describe(&record->header.sample, FG_RECORD_CPU_STACK, pid_tgid, key);
      send(record, size, process->wake, count, target);
      return 0;
    }
  }

  __u32 frames = walk(ctx, sample, count);
  __u64 bytes = sizeof(sample->header) + frames * sizeof(__u64);
  if (!fg_bounded(bytes, sizeof(*sample))) return 0; /* never; for the verifier */
  describe(&sample->header, FG_RECORD_CPU_SAMPLE, pid_tgid, key);
  send(sample, bytes, false, count, target);
  return 0;
}
