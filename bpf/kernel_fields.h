/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
#ifndef FLAMEGATE_KERNEL_FIELDS_H
#define FLAMEGATE_KERNEL_FIELDS_H

#include <linux/types.h>

/* Of the kernel's structures the fields that requests.bpf.c and offcpu.bpf.c read; where they are, its BTF
 * says at load. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
  __u64 id;
};
struct cgroup {
  struct kernfs_node* kn;
};
struct sock_cgroup_data {
  struct cgroup* cgroup;
};
struct sock_common {
  unsigned short skc_family;
  volatile unsigned char skc_state;
};
struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
  struct sock_cgroup_data sk_cgrp_data;
};
struct tcp_sock {
  __u32 rcv_nxt;
  __u32 copied_seq;
};
struct sk_buff {
  unsigned int len;
  unsigned char* data;
};
struct socket {
  struct sock* sk;
};
struct inode {
  unsigned short i_mode;
};
struct file {
  struct inode* f_inode;
  void* private_data;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
struct css_set {
  struct cgroup* dfl_cgrp;
};
struct sched_entity {
  __u64 sum_exec_runtime;
};
struct task_struct {
  unsigned int __state;
  unsigned int flags;
  struct sched_entity se;
  int pid;
  int tgid;
  struct css_set* cgroups;
  struct files_struct* files;
};
#pragma clang attribute pop

#endif
