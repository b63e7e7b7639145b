#include "io_probe.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bpf_knobs.h"
#include "bpf_log.h"
#include "worker_thread.h"

namespace flamegate {
namespace {

constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";
constexpr char kEnd[] = "on_end";

struct Hook {
  const char* program;
  const char* system_call;
};

// recvmmsg and sendmmsg tell a number of messages, not of bytes.
constexpr Hook kHooks[] = {
    {"on_read", "read"},         {"on_read", "pread64"},   {"on_read", "readv"},
    {"on_read", "preadv"},       {"on_read", "preadv2"},   {"on_read", "recvfrom"},
    {"on_read", "recvmsg"},      {"on_write", "write"},    {"on_write", "pwrite64"},
    {"on_write", "writev"},      {"on_write", "pwritev"},  {"on_write", "pwritev2"},
    {"on_write", "sendto"},      {"on_write", "sendmsg"},  {"on_write", "sendfile64"},
    {"on_sync", "fsync"},        {"on_sync", "fdatasync"}, {"on_sync", "sync_file_range"},
    {"on_sync_mapped", "msync"},
};

// Adds `sign` times `more`; unsigned numbers wrap around and back.
void Add(IoCounts& to, const IoCounts& more, uint64_t sign) {
  for (size_t kind = 0; kind < to.totals.size(); kind++) {
    fg_io_total& total = to.totals[kind];
    const fg_io_total& other = more.totals[kind];
    total.calls += sign * other.calls;
    total.failed += sign * other.failed;
    total.bytes += sign * other.bytes;
    total.ns += sign * other.ns;
    for (size_t i = 0; i < FG_IO_BUCKETS; i++) total.buckets[i] += sign * other.buckets[i];
  }
  to.unseen += sign * more.unseen;
  to.lost_calls += sign * more.lost_calls;
  to.lost_ns += sign * more.lost_ns;
}

IoCounts Since(IoCounts now, const IoCounts& before) {
  Add(now, before, ~uint64_t{0});
  return now;
}

}  // namespace

IoCounts& IoCounts::operator+=(const IoCounts& more) {
  Add(*this, more, 1);
  return *this;
}

std::unique_ptr<IoProbe> IoProbe::Open(const IoProbeConfig& config, Failure& failure) {
  BpfLog log;
  std::unique_ptr<IoProbe> probe(new IoProbe);
  if (probe->Load(config, failure) && probe->Attach(failure)) return probe;
  failure.log = log.Take();
  if (failure.code == nullptr) failure.code = CodeOfLoad(failure.error, failure.log);
  return nullptr;
}

// Detaching waits until no CPU can be in the program any more: 70 ms each, and side by side for all of them.
IoProbe::~IoProbe() {
  auto destroy = [](void* link) -> void* {
    bpf_link__destroy(static_cast<bpf_link*>(link));
    return nullptr;
  };
  std::vector<pthread_t> threads;
  for (auto& link : links_) {
    pthread_t thread;
    if (StartWithoutSignals(&thread, destroy, link.get()) != 0) break;  // the others go with links_
    static_cast<void>(link.release());
    threads.push_back(thread);
  }
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
}

bool IoProbe::Load(const IoProbeConfig& config, Failure& failure) {
  if (access(kKernelBtf, R_OK) != 0) {
    failure = {"IO_NO_BTF", "reading the kernel's types from /sys/kernel/btf/vmlinux", errno, {}};
    return false;
  }
  object_.reset(bpf_object__open_file(config.object_path.c_str(), nullptr));
  if (!object_) {
    failure = {"BPF_OBJECT_INVALID", "reading the BPF object", errno, {}};
    return false;
  }
  if (!SetKnobs(config, failure)) return false;
  auto map = [&](const char* name) { return bpf_object__find_map_by_name(object_.get(), name); };
  auto cpus = static_cast<uint32_t>(libbpf_num_possible_cpus());
  bpf_map__set_max_entries(map("watched"), config.max_targets);
  bpf_map__set_max_entries(map("targets"), config.max_targets);
  bpf_map__set_max_entries(map("stack_scratch"), cpus);
  int error = bpf_map__reuse_fd(map("ring"), config.ring_fd);
  if (error == 0) error = bpf_map__reuse_fd(map("processes"), config.processes_fd);
  if (error == 0) error = bpf_object__load(object_.get());
  if (error != 0) {
    failure = {nullptr, "loading the BPF programs", -error, {}};
    return false;
  }
  value_.resize(cpus);
  return true;
}

bool IoProbe::SetKnobs(const IoProbeConfig& config, Failure& failure) {
  fg_io_knobs knobs = {};
  void* initial = ReadKnobs(object_.get(), knobs, FG_IO_ABI_VERSION, failure);
  if (initial == nullptr) return false;
  knobs.filter = config.filter;
  memcpy(initial, &knobs, sizeof(knobs));
  return true;
}

bool IoProbe::Attach(Failure& failure) {
  for (auto [program, system_call] : kHooks) {
    if (!AttachTo(program, std::string("sys_enter_") + system_call, failure)) return false;
    if (!AttachTo(kEnd, std::string("sys_exit_") + system_call, failure)) return false;
  }
  return true;
}

bool IoProbe::AttachTo(const char* name, const std::string& tracepoint, Failure& failure) {
  bpf_program* program = bpf_object__find_program_by_name(object_.get(), name);
  bpf_link* link = bpf_program__attach_tracepoint(program, "syscalls", tracepoint.c_str());
  if (link == nullptr) {
    int error = errno;
    bool is_not_permitted = error == EPERM || error == EACCES;
    failure = {is_not_permitted ? "BPF_NOT_PERMITTED" : "IO_ATTACH_FAILED",
               "attaching a BPF program to the tracepoint " + tracepoint,
               error,
               {}};
    return false;
  }
  links_.emplace_back(link);
  return true;
}

// A target that is watched already keeps its counts: its value in the kernel stays.
bool IoProbe::Add(uint64_t target, uint64_t least_ns, Failure& failure) {
  bool is_new = !told_.contains(target);
  value_.assign(value_.size(), {});
  bool is_added = !is_new || bpf_map_update_elem(MapFd("targets"), &target, value_.data(), BPF_ANY) == 0;
  if (is_added && bpf_map_update_elem(MapFd("watched"), &target, &least_ns, BPF_ANY) == 0) {
    if (is_new) told_[target] = {};
    return true;
  }
  int error = errno;
  failure = {error == E2BIG ? "SAMPLER_TARGETS_FULL" : "SAMPLER_TARGET_FAILED",
             "watching what is read and written",
             error,
             {}};
  if (is_new) bpf_map_delete_elem(MapFd("targets"), &target);
  return false;
}

// Its value goes last, and in one call with the look at it, so that nothing is counted in between.
void IoProbe::Remove(uint64_t target) {
  auto told = told_.find(target);
  if (told == told_.end()) return;
  bpf_map_delete_elem(MapFd("watched"), &target);
  if (bpf_map_lookup_and_delete_elem(MapFd("targets"), &target, value_.data()) == 0)
    left_over_[target] += Since(SumOfValue(), told->second);
  told_.erase(told);
}

std::unordered_map<uint64_t, IoCounts> IoProbe::Take() {
  std::unordered_map<uint64_t, IoCounts> counts = std::exchange(left_over_, {});
  for (auto& [target, told] : told_) {
    IoCounts& since = counts[target];
    if (bpf_map_lookup_elem(MapFd("targets"), &target, value_.data()) != 0)
      continue;  // impossible; told with the next call
    IoCounts now = SumOfValue();
    since += Since(now, told);
    told = now;
  }
  return counts;
}

IoCounts IoProbe::SumOfValue() const {
  IoCounts sum;
  for (const fg_io_target& cpu : value_) {
    IoCounts of_cpu = {{}, cpu.unseen, cpu.lost_calls, cpu.lost_ns};
    std::copy(std::begin(cpu.totals), std::end(cpu.totals), of_cpu.totals.begin());
    sum += of_cpu;
  }
  return sum;
}

IoProbe::Runs IoProbe::Count() const {
  Runs runs;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) continue;
    runs.runs += info.run_cnt;
    runs.run_ns += info.run_time_ns;
  }
  return runs;
}

}  // namespace flamegate
