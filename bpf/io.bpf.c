/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What watched containers read, write and sync: every call counted, with its bytes and how long it took; of
 * those that took long, and of syncs, the stacks. Attached to the beginning and the end of each system call
 * that reads, writes or syncs. Of other calls nothing runs. Kernel 5.15 or later with BTF, and tracefs. */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>

#include "io.h"
#include "open_files.h"
#include "stack_copy.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_io_knobs knobs = {.abi_version = FG_IO_ABI_VERSION, .filter = FG_FILTER_CGROUP};

/* A call that has begun. */
struct begun {
  __u64 start_ns; /* 0 while there is none that counts */
  __u64 target;
  __u64 least_ns; /* calls that last as long are slow */
  __u32 kind;     /* enum fg_io_kind */
  __u32 unused;
};

/* Goes with its thread. */
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct begun);
} calls SEC(".maps");

/* Who is watched, and from when on a call of it is slow. Only user space inserts, here and in the next. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u64);
} watched SEC(".maps");

/* Of a CPU's own nothing else changes it meanwhile: these programs run with preemption off. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct fg_io_target);
} targets SEC(".maps");

/* These two are those of bpf/cpu.bpf.c, put in their place before load. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, struct fg_process);
} processes SEC(".maps");

/* One per CPU, the number of which is set before load. Not the sampler's: its tick may come in between. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_cpu_stack);
} stack_scratch SEC(".maps");

/* /sys/kernel/tracing/events/syscalls/sys_enter_read/format and sys_exit_read/format */
struct sys_enter {
  __u64 common;
  __u64 number;
  __u64 first_argument;
};
struct sys_exit {
  __u64 common;
  __u64 number;
  __s64 result;
};

/* In the order of kinds of files. */
enum direction { READS, WRITES, SYNCS };

static __always_inline __u32 kind_of(enum direction direction, __u32 type) {
  if (type == FG_S_IFREG || type == FG_S_IFBLK) return direction;
  if (type != FG_S_IFSOCK || direction == SYNCS) return FG_IO_KINDS;
  return direction == READS ? FG_IO_SOCKET_RECEIVE : FG_IO_SOCKET_SEND;
}

static __always_inline void count_unseen(__u64 key) {
  struct fg_io_target* target = bpf_map_lookup_elem(&targets, &key);
  if (target) target->unseen++;
}

static __always_inline int begin(enum direction direction, const __u64* fd) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u64 key = knobs.filter == FG_FILTER_PID ? bpf_get_current_pid_tgid() >> 32 : bpf_get_current_cgroup_id();
  const __u64* least_ns = bpf_map_lookup_elem(&watched, &key);
  if (!least_ns) return 0;
  __u32 kind = kind_of(direction, fd ? type_of_descriptor(task, *fd) : FG_S_IFREG);
  bool counts = kind < FG_IO_KINDS;
  struct begun* call = bpf_task_storage_get(&calls, task, 0, counts ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
  if (!call) {
    if (counts) count_unseen(key);
    return 0;
  }
  call->target = key;
  call->least_ns = *least_ns;
  call->kind = kind;
  call->start_ns = counts ? bpf_ktime_get_ns() : 0;
  return 0;
}

SEC("tracepoint")
int on_read(const struct sys_enter* call) {
  return begin(READS, &call->first_argument);
}

/* sendfile too: its first descriptor is the one it writes to. */
SEC("tracepoint")
int on_write(const struct sys_enter* call) {
  return begin(WRITES, &call->first_argument);
}

SEC("tracepoint")
int on_sync(const struct sys_enter* call) {
  return begin(SYNCS, &call->first_argument);
}

/* What is mapped of files. */
SEC("tracepoint")
int on_sync_mapped(void) {
  return begin(SYNCS, 0);
}

/* No static: so it is verified once, and not for each way to it. */
__noinline __u32 bucket_of(__u64 ns) {
  __u64 rest = ns >> FG_IO_BUCKET_BITS;
  if (rest >> (FG_IO_BUCKETS - 2)) return FG_IO_BUCKETS - 1;
  __u32 bucket = 0;
  for (__u32 step = 16; step; step >>= 1) {
    if (!(rest >> step)) continue;
    rest >>= step;
    bucket += step;
  }
  return bucket + (rest != 0);
}

/* How many calls the stack of this one stands for; 0 if none is to be taken. What is not drawn is stood for
 * by others. */
static __always_inline __u32 drawn(struct fg_io_lot* lot, __u64 now_ns) {
  __u64 passed_ns = now_ns - lot->begun_ns;
  if (passed_ns >= FG_IO_PERIOD_NS) {
    __u32 of_before = passed_ns < 2 * FG_IO_PERIOD_NS ? lot->seen : 0;
    lot->one_in = of_before <= FG_IO_STACKS ? 1 : of_before / FG_IO_STACKS;
    lot->begun_ns = now_ns;
    lot->seen = 0;
    lot->taken = 0;
  }
  lot->seen++;
  __u32 one_in = lot->one_in;
  return one_in <= 1 || bpf_get_prandom_u32() % one_in == 0 ? one_in : 0;
}

/* Copies the stack with what it stands for before it; returns the size of the record, 0 if it cannot be had.
 */
static __always_inline __u64 fill(struct fg_cpu_stack* record, const struct fg_process* process,
                                  const struct fg_io_call* what) {
  struct fg_cpu_stack_header* header = &record->header;
  if (!read_task_registers(header->registers)) return 0;
  __u32 flags = read_collections(header, process);
  __builtin_memcpy(record->data, what, sizeof(*what));
  header->stack_address = header->registers[FG_STACK_POINTER] - FG_RED_ZONE_BYTES;
  header->stack_bytes = copy_stack(record, sizeof(*what), process->max_stack_bytes);
  if (!header->stack_bytes) return 0;
  if (header->stack_bytes >= process->max_stack_bytes) flags |= FG_SAMPLE_STACK_CUT;
  header->sample.flags = flags | read_code(header);
  header->sample.kernel_frames = FG_IO_CALL_FRAMES;
  header->sample.user_frames = 0;
  return sizeof(*header) + sizeof(*what) + header->stack_bytes;
}

/* Returns 0 if it could not. Verified once, too. */
__noinline int send_stack(__u64 key, __u64 ns, __u32 calls, __u32 kind) {
  struct fg_io_call what = {.ns = ns, .calls = calls, .kind = kind};
  __u64 pid_tgid = bpf_get_current_pid_tgid();
  __u32 pid = pid_tgid >> 32;
  __u32 cpu = bpf_get_smp_processor_id();
  struct fg_process* process = bpf_map_lookup_elem(&processes, &pid);
  struct fg_cpu_stack* record = process ? bpf_map_lookup_elem(&stack_scratch, &cpu) : 0;
  if (!record) return 0;
  __u64 size = fill(record, process, &what);
  if (!size || !fg_bounded(size, sizeof(*record))) return 0;
  struct fg_cpu_sample_header* header = &record->header.sample;
  header->version = FG_CPU_ABI_VERSION;
  header->kind = FG_RECORD_IO_STACK;
  header->cpu = cpu;
  header->pid = pid;
  header->tid = (__u32)pid_tgid;
  header->target = key;
  header->time_ns = bpf_ktime_get_ns();
  bool wake = process->wake ||
              bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 4;
  return !bpf_ringbuf_output(&ring, record, size, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* Whose stacks are due: of slow calls, and of syncs, for a function that syncs too often makes many short
 * ones. Not of receives: nobody can tell here whether a thread that waits for its peer has anything else to
 * do. FG_IO_LOTS for none. */
static __always_inline __u32 lot_of(__u32 kind, bool is_slow) {
  if (kind == FG_IO_SOCKET_RECEIVE) return FG_IO_LOTS;
  if (is_slow) return kind;
  return kind == FG_IO_FILE_SYNC ? FG_IO_QUICK_SYNCS : FG_IO_LOTS;
}

static __always_inline void take_stack(struct fg_io_target* target, const struct begun* call, __u64 now_ns) {
  __u64 ns = now_ns - call->start_ns;
  __u32 sort = lot_of(call->kind, ns >= call->least_ns);
  if (!fg_bounded(sort, FG_IO_LOTS - 1)) return;
  struct fg_io_lot* lot = &target->lots[sort];
  __u32 calls = drawn(lot, now_ns);
  if (!calls) return;
  if (lot->taken < FG_IO_MOST_STACKS && send_stack(call->target, ns * calls, calls, call->kind)) {
    lot->taken++;
    return;
  }
  target->lost_calls += calls;
  target->lost_ns += ns * calls;
}

/* Of all that are attached. */
SEC("tracepoint")
int on_end(const struct sys_exit* exit) {
  struct begun* call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
  if (!call || !call->start_ns) return 0;
  struct begun ended = *call;
  call->start_ns = 0;
  __u32 kind = ended.kind;
  struct fg_io_target* target = bpf_map_lookup_elem(&targets, &ended.target);
  if (!target || !fg_bounded(kind, FG_IO_KINDS - 1)) return 0;
  struct fg_io_total* total = &target->totals[kind];
  if (exit->result < 0) {
    total->failed++;
    return 0;
  }
  __u64 now_ns = bpf_ktime_get_ns();
  __u64 ns = now_ns - ended.start_ns;
  __u32 bucket = bucket_of(ns);
  total->calls++;
  total->ns += ns;
  if (kind != FG_IO_FILE_SYNC) total->bytes += exit->result;
  if (fg_bounded(bucket, FG_IO_BUCKETS - 1)) total->buckets[bucket]++;
  take_stack(target, &ended, now_ns);
  return 0;
}
