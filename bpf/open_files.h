/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What a task's file descriptors are of. */
#ifndef FLAMEGATE_OPEN_FILES_H
#define FLAMEGATE_OPEN_FILES_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel_fields.h"

/* include/uapi/linux/stat.h */
enum { FG_S_IFMT = 0170000, FG_S_IFREG = 0100000, FG_S_IFBLK = 0060000, FG_S_IFSOCK = 0140000 };

/* The type of the file's inode, as in its mode; 0 where there is no such descriptor. */
static __always_inline __u32 type_of_descriptor(const struct task_struct* task, __u32 fd) {
  const struct fdtable* table = BPF_CORE_READ(task, files, fdt);
  if (fd >= BPF_CORE_READ(table, max_fds)) return 0;
  struct file** files = BPF_CORE_READ(table, fd);
  const struct file* file = 0;
  if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file) return 0;
  return BPF_CORE_READ(file, f_inode, i_mode) & FG_S_IFMT;
}

#endif
