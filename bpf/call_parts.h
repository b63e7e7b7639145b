/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The parts of a call that gathers or scatters, some at a time. Compiled for the kernel and, for tests, for
 * user space: whoever includes it defines FG_READ_USER. */
#ifndef FLAMEGATE_CALL_PARTS_H
#define FLAMEGATE_CALL_PARTS_H

#include <linux/types.h>

/* Compares the very register that is used afterwards: the verifier knows the bound of no copy of it. */
#define fg_bounded(value, most)     \
  ({                                \
    asm volatile("" : "+r"(value)); \
    (value) <= (most);              \
  })

#define FG_WINDOW_PARTS 32

/* struct iovec of the x86-64 ABI. */
struct fg_part {
  __u64 address;
  __u64 bytes;
};

/* None where the bytes are out of reach. */
struct fg_parts {
  struct fg_part at[FG_WINDOW_PARTS];
  __u32 count;
  __u32 next;         /* the first that is not used up */
  __u64 vector;       /* where those behind the window are */
  __u64 vector_parts; /* how many */
  __u64 flags;        /* MSG_… of calls that have any */
};

/* Exactly as much as there is: the vector may end where a page does. */
static __always_inline int fg_next_window(struct fg_parts* parts) {
  __u64 count = parts->vector_parts;
  parts->count = parts->next = 0;
  if (count > FG_WINDOW_PARTS) count = FG_WINDOW_PARTS;
  __u64 bytes = count * sizeof(struct fg_part);
  if (!bytes || !fg_bounded(bytes, sizeof(parts->at))) return 0;
  if (FG_READ_USER(parts->at, bytes, parts->vector)) return 0;
  parts->vector += bytes;
  parts->vector_parts -= count;
  parts->count = count;
  return 1;
}

static __always_inline void fg_gathered(struct fg_parts* parts, __u64 vector, __u64 count) {
  parts->vector = vector;
  parts->vector_parts = count;
  fg_next_window(parts);
}

static __always_inline void fg_single(struct fg_parts* parts, __u64 address, __u64 bytes) {
  parts->at[0].address = address;
  parts->at[0].bytes = bytes;
  parts->count = 1;
  parts->next = 0;
  parts->vector_parts = 0;
}

#endif
