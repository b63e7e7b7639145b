/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Where the bytes of a socket call are in the caller's memory: neither the socket tracepoints nor those at
 * the end of a system call say it, but the registers the caller had still do. */
#ifndef FLAMEGATE_USER_BUFFERS_H
#define FLAMEGATE_USER_BUFFERS_H

#include <linux/bpf.h>
/* keep: after bpf.h */
#include <bpf/bpf_helpers.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <stddef.h>

#define FG_READ_USER(to, bytes, address) bpf_probe_read_user(to, bytes, (const void*)(address))
#include "call_parts.h"
#include "requests.h"

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
  FG_READ = 0,
  FG_WRITE = 1,
  FG_READV = 19,
  FG_WRITEV = 20,
  FG_SENDTO = 44,
  FG_RECVFROM = 45,
  FG_SENDMSG = 46,
  FG_RECVMSG = 47
};

/* struct msghdr of the x86-64 ABI. */
static __always_inline void fg_message(struct fg_parts* parts, __u64 message) {
  __u64 vector_and_count[2];
  if (bpf_probe_read_user(vector_and_count, sizeof(vector_and_count), (const void*)(message + 16))) return;
  fg_gathered(parts, vector_and_count[0], vector_and_count[1]);
}

/* Of the system call that the current thread is in, or has just done. Returns its fd. */
static __always_inline __u32 fg_call_buffers(struct fg_parts* parts) {
  struct pt_regs regs = {};
  parts->count = parts->next = 0;
  parts->vector_parts = 0;
  parts->flags = 0;
  if (bpf_probe_read_kernel(&regs, sizeof(regs), (const void*)bpf_task_pt_regs(bpf_get_current_task_btf())))
    return ~0u;
  switch (regs.orig_rax) {
    case FG_RECVFROM:
      parts->flags = regs.r10;
      fg_single(parts, regs.rsi, regs.rdx);
      break;
    case FG_READ:
    case FG_WRITE:
    case FG_SENDTO:
      fg_single(parts, regs.rsi, regs.rdx);
      break;
    case FG_READV:
    case FG_WRITEV:
      fg_gathered(parts, regs.rsi, regs.rdx);
      break;
    case FG_RECVMSG:
      parts->flags = regs.rdx;
      fg_message(parts, regs.rsi);
      break;
    case FG_SENDMSG:
      fg_message(parts, regs.rsi);
      break;
  }
  return regs.rdi;
}

/* Copies the first bytes of what the call moved. Returns how many. */
static __always_inline __u32 fg_capture(__u8* to, const struct fg_parts* parts, __u32 moved) {
  __u64 at = 0;
  __u64 left = moved < FG_CAPTURED_BYTES ? moved : FG_CAPTURED_BYTES;
#pragma unroll
  for (__u32 i = 0; i < FG_CAPTURED_PARTS; i++) {
    if (i >= parts->count || !left) break;
    __u64 bytes = parts->at[i].bytes;
    if (bytes > left) bytes = left;
    if (!fg_bounded(at, FG_CAPTURED_BYTES) || !fg_bounded(bytes, FG_CAPTURED_BYTES)) break;
    if (bytes && bpf_probe_read_user(to + at, bytes, (const void*)parts->at[i].address)) break;
    at += bytes;
    left -= bytes;
  }
  return at;
}

#endif
