/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* A sampler that no verifier takes, for the test of that error: it does not check what a look-up returned. */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>
#include <linux/bpf_perf_event.h>

#include "cpu.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct fg_cpu_knobs knobs = {.abi_version = FG_CPU_ABI_VERSION};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u64);
  __type(value, __u64);
} targets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u64);
  __type(value, __u32);
} thinned SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_process);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_cpu_stack);
} stack_scratch SEC(".maps");

SEC("perf_event")
int on_cpu_tick(struct bpf_perf_event_data* ctx) {
  __u64 key = ctx->sample_period + knobs.filter;
  __u64* value = bpf_map_lookup_elem(&targets, &key);
  return (int)*value;
}
