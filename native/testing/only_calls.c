// Runs a program that may make only these system calls; all others end with EPERM, clone3 with ENOSYS.
// Usage: only_calls NUMBER,NUMBER,... PROGRAM [ARGUMENT]...
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

enum { kMostCalls = 1024 };  // twice what there is
static struct sock_filter code[2 * kMostCalls + 8];
static unsigned short size;

static void Add(struct sock_filter instruction) {
  code[size++] = instruction;
}

static void Answer(unsigned call, unsigned verdict) {
  Add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
  Add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
  Add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0));
  Add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  Add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  char* next = argv[1];
  for (int i = 0; *next != '\0' && i < kMostCalls; i++) {
    Answer((unsigned)strtoul(next, &next, 10), SECCOMP_RET_ALLOW);
    if (*next == ',') next++;
  }
  Answer(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  Add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  struct sock_fprog program = {size, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    perror("only_calls");
    return 2;
  }
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 2;
}
