// Unwinds threads that stand still: `unwind-threads PID LAYOUT TID...`, where LAYOUT is a file of the numbers
// that addProcess takes. Each thread is stopped for the moment by ptrace. Prints what the addon would hand
// over, in lines of words apart by tabs: `method`, `name`, and for each thread `thread TID` and its `frame`s,
// leaf first. For the tests: a tick of the clock never hits a parked thread.
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "stack_unwinder.h"

namespace flamegate {
namespace {

constexpr size_t kMaxStack = 1 << 20;

Registers RegistersOf(const user_regs_struct& from) {
  return {from.rax, from.rdx, from.rcx, from.rbx, from.rsi, from.rdi, from.rbp, from.rsp, from.r8,
          from.r9,  from.r10, from.r11, from.r12, from.r13, from.r14, from.r15, from.rip};
}

/// Stops a thread while it lives.
class StoppedThread {
 public:
  explicit StoppedThread(pid_t tid) : tid_(tid) {
    is_seized_ = ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0;
    if (!is_seized_) return;
    ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
    int status = 0;
    is_stopped_ = waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status);
  }
  ~StoppedThread() {
    if (is_seized_) ptrace(PTRACE_DETACH, tid_, nullptr, nullptr);
  }
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;

  std::optional<Registers> Read() const {
    user_regs_struct registers;
    if (!is_stopped_ || ptrace(PTRACE_GETREGS, tid_, nullptr, &registers) != 0) return std::nullopt;
    return RegistersOf(registers);
  }

 private:
  pid_t tid_;
  bool is_seized_ = false;
  bool is_stopped_ = false;
};

bool PrintThread(StackUnwinder& unwinder, pid_t pid, pid_t tid) {
  StoppedThread thread(tid);
  std::optional<Registers> registers = thread.Read();
  if (!registers) return false;
  ForeignMemory memory(pid);
  uint64_t at = (*registers)[kStackPointer] - FG_RED_ZONE_BYTES;
  std::vector<uint8_t> bytes(kMaxStack);
  bytes.resize(memory.ReadSome(at, bytes));
  ThreadSnapshot snapshot = {*registers, StackCopy(at, bytes, false), {}};
  printf("thread\t%d\n", tid);
  for (uint64_t frame : unwinder.Unwind(snapshot)) printf("frame\t%" PRIx64 "\n", frame);
  return true;
}

void PrintNews(StackUnwinder& unwinder) {
  for (const NewMethod& method : unwinder.TakeNewMethods()) {
    printf("method\t%u\t%s\t%s\t%s\t%s\t", method.id, method.holder.c_str(), method.name.c_str(),
           method.signature.c_str(), method.source_file.c_str());
    for (uint8_t byte : method.line_table) printf("%02x", byte);
    puts("");
  }
  for (const NewName& name : unwinder.TakeNewNames()) printf("name\t%u\t%s\n", name.id, name.text.c_str());
}

std::optional<HotspotLayout> ReadLayout(const char* path) {
  std::vector<int64_t> numbers(kHotspotLayoutNames.size());
  FILE* file = fopen(path, "rb");
  if (file == nullptr) return std::nullopt;
  size_t got = fread(numbers.data(), sizeof(int64_t), numbers.size(), file);
  fclose(file);
  return got == numbers.size() ? std::optional(LayoutOf(numbers)) : std::nullopt;
}

int Main(int argc, char** argv) {
  std::optional<HotspotLayout> layout = argc < 4 ? std::nullopt : ReadLayout(argv[2]);
  if (!layout || FaultIn(*layout) != nullptr) {
    fputs("usage: unwind-threads PID LAYOUT TID...\n", stderr);
    return 2;
  }
  pid_t pid = atoi(argv[1]);
  StackUnwinder unwinder(pid, layout);
  int failed = 0;
  for (int i = 3; i < argc; i++) failed += PrintThread(unwinder, pid, atoi(argv[i])) ? 0 : 1;
  PrintNews(unwinder);
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace flamegate

int main(int argc, char** argv) {
  return flamegate::Main(argc, argv);
}
