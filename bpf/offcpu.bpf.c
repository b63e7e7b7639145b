/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Who waits, since when and for what, of the threads of watched containers: noted as a thread leaves its CPU,
 * counted as it gets one again. No stack is taken: a thread that waits does not change its own, so user space
 * reads those of long waits while they last. Kernel 5.15 or later with BTF. */
#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include "kernel_fields.h"
#include "offcpu.h"
#include "open_files.h"
#include "registers.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The only variable of .rodata: the loader finds it at offset 0. */
const volatile struct fg_offcpu_knobs knobs = {.abi_version = FG_OFFCPU_ABI_VERSION,
                                               .filter = FG_FILTER_CGROUP};

/* include/linux/sched.h */
enum { FG_TASK_UNINTERRUPTIBLE = 2, FG_TASK_DEAD = 0x80 };
enum { FG_PF_IO_WORKER = 0x10, FG_PF_KTHREAD = 0x200000 };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_offcpu_filter);
} filter SEC(".maps");

/* Only user space inserts. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, struct fg_wait_target);
} targets SEC(".maps");

/* Allocated before, for a scheduler that holds the lock of its queue must not allocate. The size is set
 * before load. An entry goes when its thread ends. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __type(key, __u32);
  __type(value, struct fg_wait);
} threads SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fg_offcpu_counters);
} counters SEC(".maps");

static __always_inline __u64 key_of(const struct task_struct* task) {
  if (knobs.filter == FG_FILTER_PID) return (__u32)task->tgid;
  return task->cgroups->dfl_cgrp->kn->id;
}

static __always_inline bool may_be_watched(const struct fg_offcpu_filter* bits, __u64 key) {
  return bits->bits[(key & (FG_FILTER_BITS - 1)) / 64] >> (key & 63) & 1;
}

/* Of a read or write, by what the descriptor is of. */
static __always_inline enum fg_wait_kind kind_of_descriptor(const struct task_struct* task, __u32 fd) {
  __u32 type = type_of_descriptor(task, fd);
  if (type == FG_S_IFSOCK) return FG_WAIT_SOCKET;
  return type == FG_S_IFREG || type == FG_S_IFBLK ? FG_WAIT_FILE : FG_WAIT_OTHER;
}

/* By the system call the thread is in (arch/x86/entry/syscalls/syscall_64.tbl); outside of one the kernel
 * leaves -1 for its number. */
static __always_inline enum fg_wait_kind kind_of_call(const struct task_struct* task, __u32 state,
                                                      const struct pt_regs* regs) {
  bool is_deep = state & FG_TASK_UNINTERRUPTIBLE;
  switch ((__s64)regs->orig_rax) {
    case 202: /* futex */
    case 449: /* futex_waitv */
      return FG_WAIT_FUTEX;
    case 35:  /* nanosleep */
    case 230: /* clock_nanosleep */
      return FG_WAIT_SLEEP;
    case 232: /* epoll_wait */
    case 281: /* epoll_pwait */
    case 441: /* epoll_pwait2 */
      return FG_WAIT_EVENTS;
    case 7:   /* poll */
    case 23:  /* select */
    case 270: /* pselect6 */
    case 271: /* ppoll */
      return FG_WAIT_POLL;
    case 42:  /* connect */
    case 43:  /* accept */
    case 44:  /* sendto */
    case 45:  /* recvfrom */
    case 46:  /* sendmsg */
    case 47:  /* recvmsg */
    case 288: /* accept4 */
    case 299: /* recvmmsg */
    case 307: /* sendmmsg */
      return FG_WAIT_SOCKET;
    case 0:  /* read */
    case 1:  /* write */
    case 19: /* readv */
    case 20: /* writev */
      return kind_of_descriptor(task, regs->rdi);
    case 17:          /* pread64 */
    case 18:          /* pwrite64 */
    case 26:          /* msync */
    case 74:          /* fsync */
    case 75:          /* fdatasync */
    case 295 ... 296: /* preadv, pwritev */
    case 327 ... 328: /* preadv2, pwritev2 */
      return FG_WAIT_FILE;
    case 9 ... 12: /* mmap, mprotect, munmap, brk */
    case 25:       /* mremap */
    case 28:       /* madvise */
      return FG_WAIT_MEMORY;
    case -1:
      return is_deep ? FG_WAIT_MEMORY : FG_WAIT_OTHER;
  }
  return is_deep ? FG_WAIT_FILE : FG_WAIT_OTHER; /* nothing else waits for a disk */
}

static __always_inline struct fg_wait* entry_of(__u32 tid) {
  struct fg_wait* known = bpf_map_lookup_elem(&threads, &tid);
  if (known) return known;
  struct fg_wait fresh = {};
  if (bpf_map_update_elem(&threads, &tid, &fresh, BPF_NOEXIST)) {
    __u32 zero = 0;
    struct fg_offcpu_counters* count = bpf_map_lookup_elem(&counters, &zero);
    if (count) count->threads_full++;
  }
  return bpf_map_lookup_elem(&threads, &tid);
}

static __always_inline void count_ended(struct fg_wait* wait, __u64 waited_ns) {
  __u64 key = wait->target;
  __u32 kind = wait->kind;
  wait->start_ns = 0;
  struct fg_wait_target* target = bpf_map_lookup_elem(&targets, &key);
  if (!target || waited_ns < target->least_ns || !fg_bounded(kind, FG_WAIT_KINDS - 1)) return;
  __sync_fetch_and_add(&target->by_kind[kind].waits, 1);
  __sync_fetch_and_add(&target->by_kind[kind].ns, waited_ns - target->least_ns);
}

static __always_inline void leave(struct task_struct* task, __u64 key, bool is_preempted) {
  if (!bpf_map_lookup_elem(&targets, &key)) return;
  __u32 tid = task->pid;
  __u32 state = task->__state;
  if (state & FG_TASK_DEAD) {
    bpf_map_delete_elem(&threads, &tid);
    return;
  }
  if (task->flags & (FG_PF_KTHREAD | FG_PF_IO_WORKER)) return;
  struct pt_regs regs;
  if (bpf_probe_read_kernel(&regs, sizeof(regs), (const void*)bpf_task_pt_regs(task))) return;
  if (!(regs.cs & 3)) return; /* it has never been in user space */
  struct fg_wait* wait = entry_of(tid);
  if (!wait) return;
  __u64 now_ns = bpf_ktime_get_ns();
  __u64 ran_ns = task->se.sum_exec_runtime;
  /* A switch that was not traced, as one in some hundreds from the idle task is not (seen on 6.18): the wait
   * ended when the thread began to run. */
  if (wait->start_ns) count_ended(wait, now_ns - wait->start_ns - (ran_ns - wait->ran_ns));
  wait->target = key;
  wait->ran_ns = ran_ns;
  wait->pid = task->tgid;
  wait->kind = is_preempted || !state ? FG_WAIT_RUNQUEUE : kind_of_call(task, state, &regs);
  store_registers(wait->registers, &regs);
  wait->start_ns = now_ns;
}

static __always_inline void enter(const struct task_struct* task) {
  __u32 tid = task->pid;
  struct fg_wait* wait = bpf_map_lookup_elem(&threads, &tid);
  if (wait && wait->start_ns) count_ended(wait, bpf_ktime_get_ns() - wait->start_ns);
}

/* preempt, prev, next. Runs for every switch of the node: first of all it finds out that it has nothing to
 * do. */
SEC("tp_btf/sched_switch")
int on_switch(const __u64* args) {
  struct task_struct* previous = (struct task_struct*)args[1];
  struct task_struct* next = (struct task_struct*)args[2];
  __u32 zero = 0;
  struct fg_offcpu_filter* bits = bpf_map_lookup_elem(&filter, &zero);
  if (!bits) return 0; /* never; for the verifier */
  __u64 leaving = key_of(previous);
  __u64 entering = key_of(next);
  if (may_be_watched(bits, leaving)) leave(previous, leaving, args[0] & 1);
  if (may_be_watched(bits, entering)) enter(next);
  return 0;
}
