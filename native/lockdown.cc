#include "lockdown.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <vector>

namespace flamegate {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
#error "which architecture's system calls are these?"
#endif

// Numbers from here on are those of x32, the same calls under other numbers.
constexpr uint32_t kFirstX32 = 0x4000'0000;
// In a call to clone; CLONE_NEWTIME is known to clone3 only.
constexpr uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Newer than some headers; the numbers of these are the same on every architecture.
constexpr uint32_t kMountSetattr = 442;
constexpr uint32_t kProcessMadvise = 440;

struct Refused {
  std::string_view name;
  uint32_t number;
};

#define FG_REFUSED(call) \
  Refused {              \
#call, SYS_##call    \
  }

constexpr auto kRefused = std::to_array<Refused>({
    // Other processes: CAP_SYS_PTRACE is for reading them, and nothing else.
    FG_REFUSED(ptrace),
    FG_REFUSED(kcmp),
    FG_REFUSED(pidfd_getfd),
    FG_REFUSED(pidfd_send_signal),
    FG_REFUSED(tkill),
    FG_REFUSED(rt_sigqueueinfo),
    FG_REFUSED(rt_tgsigqueueinfo),
    FG_REFUSED(move_pages),
    FG_REFUSED(migrate_pages),
    {"process_madvise", kProcessMadvise},
    // Other programs: it runs none.
    FG_REFUSED(execve),
    FG_REFUSED(execveat),
    // Files by handle, which CAP_DAC_READ_SEARCH opens past every mount.
    FG_REFUSED(open_by_handle_at),
    FG_REFUSED(name_to_handle_at),
    // Other namespaces and mounts.
    FG_REFUSED(unshare),
    FG_REFUSED(setns),
    FG_REFUSED(mount),
    FG_REFUSED(umount2),
    FG_REFUSED(pivot_root),
    FG_REFUSED(chroot),
    FG_REFUSED(open_tree),
    FG_REFUSED(move_mount),
    FG_REFUSED(fsopen),
    FG_REFUSED(fsconfig),
    FG_REFUSED(fsmount),
    FG_REFUSED(fspick),
    {"mount_setattr", kMountSetattr},
    // The kernel itself, and the machine.
    FG_REFUSED(init_module),
    FG_REFUSED(finit_module),
    FG_REFUSED(delete_module),
    FG_REFUSED(kexec_load),
#ifdef SYS_kexec_file_load
    FG_REFUSED(kexec_file_load),
#endif
    FG_REFUSED(reboot),
    FG_REFUSED(swapon),
    FG_REFUSED(swapoff),
    FG_REFUSED(acct),
    FG_REFUSED(quotactl),
    FG_REFUSED(syslog),
    FG_REFUSED(settimeofday),
    FG_REFUSED(clock_settime),
    FG_REFUSED(sethostname),
    FG_REFUSED(setdomainname),
#ifdef SYS_iopl
    FG_REFUSED(iopl),
    FG_REFUSED(ioperm),
#endif
    // Keys, which are of no container.
    FG_REFUSED(keyctl),
    FG_REFUSED(add_key),
    FG_REFUSED(request_key),
    // What attacks on kernels are made of. The ring that libuv has by now, for epoll, it goes on with: what
    // is
    // refused here no ring can do.
    FG_REFUSED(userfaultfd),
    FG_REFUSED(io_uring_setup),
    FG_REFUSED(io_uring_register),
});

constexpr auto kRefusedNames = [] {
  std::array<std::string_view, kRefused.size()> names{};
  for (size_t i = 0; i < names.size(); i++) names[i] = kRefused[i].name;
  return names;
}();

// Jumps are relative and go forward at most 255 instructions: each rule ends in a verdict of its own.
class Filter {
 public:
  Filter() {
    Load(offsetof(seccomp_data, arch));
    Jump(BPF_JEQ, kArch, 1, 0);
    Return(SECCOMP_RET_ERRNO | EPERM);
    Load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
    Jump(BPF_JGE, kFirstX32, 0, 1);
    Return(SECCOMP_RET_ERRNO | EPERM);
#endif
  }

  void Refuse(uint32_t call, uint32_t error) {
    Jump(BPF_JEQ, call, 0, 1);
    Return(SECCOMP_RET_ERRNO | error);
  }

  // Unless the argument, of which the lower half counts, is one of these. What is left is for no other rule.
  void AllowOnly(uint32_t call, size_t argument, std::initializer_list<uint32_t> values) {
    Jump(BPF_JEQ, call, 0, static_cast<uint8_t>(values.size() * 2 + 2));
    LoadArgument(argument);
    for (uint32_t value : values) {
      Jump(BPF_JEQ, value, 0, 1);
      Return(SECCOMP_RET_ALLOW);
    }
    Return(SECCOMP_RET_ERRNO | EPERM);
  }

  void RefuseBits(uint32_t call, size_t argument, uint32_t bits) {
    Jump(BPF_JEQ, call, 0, 4);
    LoadArgument(argument);
    Jump(BPF_JSET, bits, 0, 1);
    Return(SECCOMP_RET_ERRNO | EPERM);
    Return(SECCOMP_RET_ALLOW);
  }

  std::vector<sock_filter>& Finished() {
    Return(SECCOMP_RET_ALLOW);
    return code_;
  }

 private:
  void Load(uint32_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
  }
  void LoadArgument(size_t index) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    Load(static_cast<uint32_t>(offsetof(seccomp_data, args) + index * sizeof(uint64_t)));
  }
  void Jump(uint16_t how, uint32_t value, uint8_t if_so, uint8_t if_not) {
    code_.push_back(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | how | BPF_K), value, if_so, if_not));
  }
  void Return(uint32_t verdict) {
    code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict));
  }

  std::vector<sock_filter> code_;
};

Filter FilterOf(const LockdownConfig& config) {
  Filter filter;
  for (const Refused& refused : kRefused) filter.Refuse(refused.number, EPERM);
  if (!config.allow_live) filter.Refuse(SYS_process_vm_writev, EPERM);
  // Its flags are in memory, which no filter reads; glibc then calls clone.
  filter.Refuse(SYS_clone3, ENOSYS);
  filter.RefuseBits(SYS_clone, 0, kNewNamespaces);
  if (config.allow_attach) {
    filter.AllowOnly(SYS_kill, 1, {0, SIGQUIT});
  } else {
    filter.AllowOnly(SYS_kill, 1, {0});
  }
  filter.AllowOnly(SYS_tgkill, 0, {static_cast<uint32_t>(getpid())});  // abort()
  return filter;
}

Failure Failed(const char* what, int error) {
  return {"LOCKDOWN_FAILED", what, error, {}};
}

}  // namespace

bool LockDown(const LockdownConfig& config, Failure& failure) {
  // A dump would hold copied stacks and the token. A core_pattern with a pipe ignores the limit of 0, but not
  // that the process cannot be dumped.
  constexpr rlimit kNoCore = {0, 0};
  if (setrlimit(RLIMIT_CORE, &kNoCore) != 0) {
    failure = Failed("setting RLIMIT_CORE to 0", errno);
    return false;
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    failure = Failed("making the process one that is never dumped", errno);
    return false;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    failure = Failed("PR_SET_NO_NEW_PRIVS", errno);
    return false;
  }
  Filter filter = FilterOf(config);
  std::vector<sock_filter>& code = filter.Finished();
  const sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  // SPEC_ALLOW: kernels before 5.16 would else turn off the CPU's store bypass in all of the agent.
  constexpr unsigned kFlags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &program);
  if (result == 0) return true;
  // Positive: the thread that could not be taken along.
  failure = Failed("SECCOMP_SET_MODE_FILTER for all threads", result < 0 ? errno : EBUSY);
  return false;
}

std::span<const std::string_view> RefusedCalls() {
  return kRefusedNames;
}

}  // namespace flamegate
