// Records stacks of a JVM for replay-stacks: `record-stacks PID BPF_OBJECT LAYOUT HEAP TICKS STACKS FILE`,
// where LAYOUT and HEAP are files of the numbers that addProcess and followCoroutines take (HEAP may be
// `-`). Lets the JVM run for so many ticks and stops it (SIGSTOP), so that its memory is of one moment; then
// writes the most different of its stacks with all that is read to unwind them. The JVM stays stopped.
#include <bpf/libbpf.h>
#include <dirent.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#include "different_stacks.h"
#include "one_stack.h"
#include "sampler.h"
#include "stack_recording.h"

namespace flamegate {
namespace {

constexpr uint32_t kFrequencyHz = 997;
constexpr uint32_t kRingBytes = 16 << 20;
constexpr int kPatienceMs = 120'000;
// What is read of a stack is as of the stop: of old ones, more has changed since.
constexpr size_t kMostKept = 512;

/// What came out of the ring.
struct {
  std::mutex lock;
  std::deque<RingRecord> records;
  std::atomic<size_t> ticks = 0;
} kept;

/// What is read of the stopped process.
struct {
  RecordedMemory* into = nullptr;
  bool is_contradicted = false;
} reads;

// In place of what unwinds at once. The stack of the first thread ends in the environment, which is nobody's
// business.
int Keep(void*, void* data, size_t size) {
  auto* header = static_cast<const fg_cpu_sample_header*>(data);
  if (size < sizeof(*header) || header->kind != FG_RECORD_CPU_STACK || header->tid == header->pid) return 0;
  std::lock_guard locked(kept.lock);
  kept.records.emplace_back(std::span(static_cast<const uint8_t*>(data), size));
  if (kept.records.size() > kMostKept) kept.records.pop_front();
  kept.ticks++;
  return 0;
}

void LogRead(std::span<const iovec> local, std::span<const iovec> remote, ssize_t got) {
  std::vector<uint8_t> bytes;
  for (const iovec& piece : local) {
    auto* begin = static_cast<const uint8_t*>(piece.iov_base);
    bytes.insert(bytes.end(), begin, begin + piece.iov_len);
  }
  std::span rest = std::span<const uint8_t>(bytes).first(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  for (const iovec& piece : remote) {
    auto address = reinterpret_cast<uint64_t>(piece.iov_base);
    std::span now = rest.first(std::min(rest.size(), piece.iov_len));
    if (!reads.into->Learn(address, now)) reads.is_contradicted = true;
    rest = rest.subspan(now.size());
    if (now.size() == piece.iov_len) continue;
    reads.into->LearnUnreadable(address + now.size());
    return;
  }
}

bool IsStopped(pid_t pid) {
  std::string path = "/proc/" + std::to_string(pid) + "/task";
  DIR* tasks = opendir(path.c_str());
  if (tasks == nullptr) return false;
  bool all = true;
  while (dirent* task = readdir(tasks)) {
    FILE* file = fopen((path + "/" + task->d_name + "/stat").c_str(), "re");
    if (file == nullptr) continue;  // no thread, or it has ended
    char text[512] = {};
    size_t got = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    const char* name_end = got > 0 ? strrchr(text, ')') : nullptr;
    all = all && name_end != nullptr && strncmp(name_end, ") T", 3) == 0;
  }
  closedir(tasks);
  return all;
}

template <typename Condition>
bool Await(Condition holds) {
  for (int i = 0; i < kPatienceMs; i++) {
    if (holds()) return true;
    usleep(1000);
  }
  return false;
}

SamplerConfig ConfigOf(const char* object) {
  SamplerConfig config = {};
  config.object_path = object;
  config.frequency_hz = kFrequencyHz;
  config.filter = FG_FILTER_PID;
  config.max_user_frames = FG_MAX_USER_FRAMES;
  config.ring_bytes = kRingBytes;
  config.max_targets = 1;
  config.max_processes = 1;
  config.max_stacks = 1;
  for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) config.cpus.push_back(cpu);
  return config;
}

// Oldest first. Empty on failure.
std::vector<RingRecord> Sample(pid_t pid, const char* object, const StackRecording& about, size_t ticks) {
  Failure failure;
  std::unique_ptr<Sampler> sampler = Sampler::Open(ConfigOf(object), failure);
  auto key = static_cast<uint32_t>(pid);
  bool is_open = sampler != nullptr &&
                 sampler->AddProcess({key, about.layout, FG_MAX_STACK_BYTES}, failure) &&
                 (!about.heap || sampler->FollowCoroutines(key, *about.heap, failure)) &&
                 sampler->AddTarget(key, failure);
  if (!is_open) {
    fprintf(stderr, "%s: %s: %s\n%s\n", failure.code, failure.what.c_str(), strerror(failure.error),
            failure.log.c_str());
    return {};
  }
  kill(pid, SIGCONT);
  bool has_run = Await([&] { return kept.ticks >= ticks; });
  kill(pid, SIGSTOP);
  bool is_stopped = Await([&] { return IsStopped(pid); });
  sampler->Take();
  sampler.reset();
  if (!has_run || !is_stopped) {
    fprintf(stderr, "after %zu ticks it %s\n", kept.ticks.load(), has_run ? "does not stop" : "waits");
    return {};
  }
  return {kept.records.begin(), kept.records.end()};
}

void Watch(UnwoundProcesses& processes, pid_t pid, const StackRecording& about) {
  Aggregate unused(1);
  processes.Add(static_cast<uint32_t>(pid), about.layout, unused);
  if (about.heap) processes.FollowCoroutines(static_cast<uint32_t>(pid), *about.heap);
}

// From the newest to the oldest, so that of equal ones the newest is chosen.
std::vector<RingRecord> MostDifferent(std::vector<RingRecord> records, pid_t pid, const StackRecording& about,
                                      size_t most) {
  UnwoundProcesses processes;
  Watch(processes, pid, about);
  std::vector<ThreadStack> stacks;
  std::reverse(records.begin(), records.end());
  for (const RingRecord& record : records) {
    const auto* header = reinterpret_cast<const fg_cpu_sample_header*>(record.Bytes().data());
    stacks.push_back({header->tid, UnwindOne(processes, record.Bytes()).value_or(OneStack())});
  }
  std::vector<size_t> chosen = DifferentStacks(stacks, most);
  std::sort(chosen.rbegin(), chosen.rend());
  std::vector<RingRecord> result;
  for (size_t index : chosen) result.push_back(records[index]);
  return result;
}

// As replay-stacks unwinds them, once with what earlier stacks have taught and once without.
void LogReadsOf(const std::vector<RingRecord>& records, pid_t pid, const StackRecording& about,
                RecordedMemory& memory) {
  reads.into = &memory;
  UnwoundProcesses warm;
  Watch(warm, pid, about);
  for (const RingRecord& record : records) {
    UnwindOne(warm, record.Bytes());
    UnwoundProcesses cold;
    Watch(cold, pid, about);
    UnwindOne(cold, record.Bytes());
  }
  reads.into = nullptr;
}

template <typename Layout, typename Make>
std::optional<Layout> NumbersIn(const char* path, size_t count, Make make) {
  std::vector<int64_t> numbers(count);
  FILE* file = fopen(path, "rb");
  if (file == nullptr) return std::nullopt;
  size_t got = fread(numbers.data(), sizeof(int64_t), count, file);
  fclose(file);
  return got == count ? std::optional(make(numbers)) : std::nullopt;
}

bool Write(const char* path, const std::vector<RingRecord>& records, const RecordedMemory& memory) {
  FILE* file = fopen(path, "wb");
  if (file == nullptr) return false;
  memory.Write(file);
  for (const RingRecord& record : records) WritePiece(file, PieceKind::kRecord, record.Bytes());
  return fclose(file) == 0;
}

int Main(int argc, char** argv) {
  StackRecording about;
  auto layout = argc == 8 ? NumbersIn<HotspotLayout>(argv[3], kHotspotLayoutNames.size(), LayoutOf)
                          : std::optional<HotspotLayout>();
  if (!layout || FaultIn(*layout) != nullptr) {
    fputs("usage: record-stacks PID BPF_OBJECT LAYOUT HEAP TICKS STACKS FILE\n", stderr);
    return 2;
  }
  about.layout = *layout;
  if (strcmp(argv[4], "-") != 0)
    about.heap = NumbersIn<HeapLayout>(argv[4], kHeapLayoutNames.size(), HeapLayoutOf);
  pid_t pid = atoi(argv[1]);
  auto ticks = static_cast<size_t>(atoi(argv[5]));
  auto most = static_cast<size_t>(atoi(argv[6]));

  std::vector<RingRecord> sampled = Sample(pid, argv[2], about, ticks);
  if (sampled.empty()) return 1;
  std::vector<RingRecord> chosen = MostDifferent(std::move(sampled), pid, about, most);
  LogReadsOf(chosen, pid, about, about.memory);
  if (reads.is_contradicted) {
    fputs("memory changed while the process was stopped\n", stderr);
    return 1;
  }
  return Write(argv[7], chosen, about.memory) ? 0 : 1;
}

}  // namespace
}  // namespace flamegate

// The linker puts these in the calls' place (--wrap).
extern "C" {

// NOLINTBEGIN: the linker's names
ssize_t __real_process_vm_readv(pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                                unsigned long);
ring_buffer* __real_ring_buffer__new(int, ring_buffer_sample_fn, void*, const ring_buffer_opts*);
// NOLINTEND

ssize_t __wrap_process_vm_readv(pid_t pid, const iovec* local, unsigned long local_count, const iovec* remote,
                                unsigned long remote_count, unsigned long flags) {
  ssize_t got = __real_process_vm_readv(pid, local, local_count, remote, remote_count, flags);
  if (flamegate::reads.into != nullptr) flamegate::LogRead({local, local_count}, {remote, remote_count}, got);
  return got;
}

ring_buffer* __wrap_ring_buffer__new(int ring, ring_buffer_sample_fn, void* context,
                                     const ring_buffer_opts* options) {
  return __real_ring_buffer__new(ring, flamegate::Keep, context, options);
}
}

int main(int argc, char** argv) {
  return flamegate::Main(argc, argv);
}
