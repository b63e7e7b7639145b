// Locks itself down, then tries what it must not do, from a thread that was there before, and prints a line
// for each: the call and the errno it ended with. Usage: locked_calls [live] [attach]
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "lockdown.h"

namespace {

void Say(const char* what, long result) {
  printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

#define TRY(call, ...) Say(#call, syscall(SYS_##call, __VA_ARGS__))

pthread_barrier_t locked;
pid_t victim;

void* TryThem(void*) {
  pthread_barrier_wait(&locked);
  char byte = 0;
  iovec here = {&byte, 1};
  iovec there = {&victim, 1};  // the child's own
  TRY(ptrace, 16 /* PTRACE_ATTACH */, victim, 0, 0);
  TRY(process_vm_readv, victim, &here, 1, &there, 0, 0);
  TRY(process_vm_writev, victim, &here, 1, &there, 0, 0);
  TRY(execve, "/bin/true", nullptr, nullptr);
  TRY(open_by_handle_at, 0, nullptr, 0);
  TRY(unshare, 0);
  TRY(setns, 0, 0);
  TRY(mount, nullptr, nullptr, nullptr, 0, nullptr);
  TRY(init_module, nullptr, 0, nullptr);
  TRY(kexec_load, 0, 0, nullptr, 0);
  TRY(keyctl, 0, 0, 0);
  TRY(io_uring_setup, 1, nullptr);
  TRY(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  TRY(kill, victim, 0);
  TRY(kill, victim, SIGCONT);
  TRY(kill, victim, SIGQUIT);
  TRY(tgkill, victim, victim, SIGCONT);
  TRY(tgkill, getpid(), getpid(), SIGCONT);
#if defined(__x86_64__)
  Say("x32", syscall(0x40000000 | SYS_getpid));
  long result = SYS_getpid == 39 ? 20 : 0;  // getpid of 32 bits
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  errno = static_cast<int>(-result);
  Say("int80", result < 0 ? -1 : 0);
#endif
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  flamegate::LockdownConfig config;
  for (int i = 1; i < argc; i++) {
    if (argv[i] == std::string_view("live")) config.allow_live = true;
    if (argv[i] == std::string_view("attach")) config.allow_attach = true;
  }
  victim = fork();
  if (victim < 0) return 2;
  if (victim == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  pthread_t thread;
  pthread_barrier_init(&locked, nullptr, 2);
  if (pthread_create(&thread, nullptr, TryThem, nullptr) != 0) return 2;
  flamegate::Failure failure;
  if (!flamegate::LockDown(config, failure)) {
    printf("%s %s\n", failure.what.c_str(), strerrorname_np(failure.error));
    return 1;
  }
  pthread_barrier_wait(&locked);
  pthread_join(thread, nullptr);
  pthread_t later;  // clone3 is refused, and clone is not
  int error = pthread_create(
      &later, nullptr, [](void* nothing) { return nothing; }, nullptr);
  printf("thread %s\n", error == 0 ? "done" : strerrorname_np(error));
  if (error == 0) pthread_join(later, nullptr);
  rlimit core = {1, 1};
  getrlimit(RLIMIT_CORE, &core);
  printf("dumpable %d, core %lu\n", prctl(PR_GET_DUMPABLE), static_cast<unsigned long>(core.rlim_max));
  return 0;
}
