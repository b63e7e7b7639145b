/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The registers of user space, as records have them. */
#ifndef FLAMEGATE_REGISTERS_H
#define FLAMEGATE_REGISTERS_H

#include <bpf/bpf_helpers.h>
#include <linux/ptrace.h>

/* Compares the very register that is used afterwards: the verifier knows the bound of no copy of it. */
#define fg_bounded(value, most)     \
  ({                                \
    asm volatile("" : "+r"(value)); \
    (value) <= (most);              \
  })

/* FG_REGISTERS of them, in DWARF's order. */
static __always_inline void store_registers(__u64* to, const struct pt_regs* regs) {
  to[0] = regs->rax;
  to[1] = regs->rdx;
  to[2] = regs->rcx;
  to[3] = regs->rbx;
  to[4] = regs->rsi;
  to[5] = regs->rdi;
  to[6] = regs->rbp;
  to[7] = regs->rsp;
  to[8] = regs->r8;
  to[9] = regs->r9;
  to[10] = regs->r10;
  to[11] = regs->r11;
  to[12] = regs->r12;
  to[13] = regs->r13;
  to[14] = regs->r14;
  to[15] = regs->r15;
  to[16] = regs->rip;
}

#endif
