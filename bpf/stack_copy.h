/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What a stack record has of the interrupted thread: its user registers, its stack, the code it runs. Only
 * copies; what of it is a frame, user space finds out. */
#ifndef FLAMEGATE_STACK_COPY_H
#define FLAMEGATE_STACK_COPY_H

#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>
#include <linux/bpf_perf_event.h>
#include <stdbool.h>

#include "cpu.h"
#include "registers.h"

#define FG_PAGE_BYTES 4096
#define FG_STACK_POINTER 7
#define FG_INSTRUCTION_POINTER 16

/* The registers user space had when the current task left it. False for a kernel thread, which has none.
 * Needs BTF. */
static __always_inline bool read_task_registers(__u64* to) {
  struct pt_regs regs;
  const void* saved = (const void*)bpf_task_pt_regs(bpf_get_current_task_btf());
  if (bpf_probe_read_kernel(&regs, sizeof(regs), saved)) return false;
  if (!(regs.cs & 3)) return false;
  store_registers(to, &regs);
  return true;
}

/* The registers user space had when it was interrupted or made its system call. False where they are out of
 * reach. */
static __always_inline bool read_user_registers(struct bpf_perf_event_data* ctx, __u64* to,
                                                bool task_registers) {
  if (ctx->regs.cs & 3) {
    store_registers(to, &ctx->regs);
    return true;
  }
  if (!task_registers) return false; /* a constant: without BTF the verifier never sees the rest */
  return read_task_registers(to);
}

/* The JVM's collections, before anything is copied: one from here on changes the counter. Both addresses 0 is
 * the usual failure, and leaves zeros. Returns flags of the sample. */
static __always_inline __u32 read_collections(struct fg_cpu_stack_header* header,
                                              const struct fg_process* process) {
  __u8 gc_active = 0;
  long unread = bpf_probe_read_user(&header->total_collections, sizeof(header->total_collections),
                                    (const void*)process->total_collections);
  unread |= bpf_probe_read_user(&gc_active, sizeof(gc_active), (const void*)process->gc_active);
  if (unread) return 0;
  return gc_active ? FG_SAMPLE_GC_READ | FG_SAMPLE_GC_ACTIVE : FG_SAMPLE_GC_READ;
}

/* The instructions around the one that is next. Returns flags of the sample. */
static __always_inline __u32 read_code(struct fg_cpu_stack_header* header) {
  const void* code = (const void*)(header->registers[FG_INSTRUCTION_POINTER] - FG_CODE_BYTES_BEFORE);
  return bpf_probe_read_user(header->code, sizeof(header->code), code) ? 0 : FG_SAMPLE_CODE_READ;
}

/* Copies page by page behind `at`, until a page is not there: the top of the stack. Returns the bytes copied.
 */
static __always_inline __u32 copy_stack(struct fg_cpu_stack* to, __u32 at, __u32 most) {
  __u64 address = to->header.stack_address;
  __u32 copied = 0;
  for (int page = 0; page <= FG_MAX_STACK_BYTES / FG_PAGE_BYTES; page++) {
    __u32 bytes = FG_PAGE_BYTES - (__u32)(address & (FG_PAGE_BYTES - 1));
    if (copied >= most) break;
    if (bytes > most - copied) bytes = most - copied;
    __u32 place = at + copied;
    if (!fg_bounded(bytes, FG_PAGE_BYTES) || !fg_bounded(place, sizeof(to->data) - FG_PAGE_BYTES)) break;
    if (bpf_probe_read_user(to->data + place, bytes, (const void*)address)) break;
    copied += bytes;
    address += bytes;
  }
  return copied;
}

#endif
