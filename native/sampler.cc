#include "sampler.h"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bpf_log.h"

namespace flamegate {
namespace {

constexpr char kProgram[] = "on_cpu_tick";
constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";

// cpu-clock, for many virtual machines have no hardware counters. The kernel makes a fixed period of its
// sample_freq (perf_swevent_init_hrtimer), which falls in step with periodic load: hence odd rates, chosen by
// the caller, and ClockJitter.
UniqueFd OpenCpuClock(int cpu, uint32_t frequency_hz) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.freq = 1;
  attributes.sample_freq = frequency_hz;
  return UniqueFd(
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace

std::unique_ptr<Sampler> Sampler::Open(const SamplerConfig& config, Failure& failure) {
  BpfLog log;
  std::unique_ptr<Sampler> sampler(new Sampler);
  if (!sampler->Load(config, failure)) {
    failure.log = log.Take();
    if (failure.code == nullptr) failure.code = CodeOfLoad(failure.error, failure.log);
    return nullptr;
  }
  // Before the first tick, so that runs and samples can be compared.
  if (config.measure) sampler->statistics_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  int ring_fd = bpf_object__find_map_fd_by_name(sampler->object_.get(), "ring");
  sampler->drain_ = RingDrain::Start(ring_fd, config.max_stacks, failure);
  if (!sampler->drain_) return nullptr;
  for (int cpu : config.cpus) {
    if (sampler->AttachTo(cpu, config.frequency_hz, failure)) continue;
    failure.log = log.Take();
    return nullptr;
  }
  sampler->waits_ = {config.offcpu_object_path, config.filter, config.max_targets,
                     config.max_waiting_threads};
  sampler->io_config_ = {config.io_object_path, config.filter, config.max_targets, ring_fd,
                         sampler->processes_fd_};
  sampler->drain_->Jitter(ClockJitter(sampler->clocks_, config.frequency_hz));
  return sampler;
}

// Null where the object has no such map.
bpf_map* Sampler::SizedMap(const char* name, uint32_t entries) {
  bpf_map* map = bpf_object__find_map_by_name(object_.get(), name);
  if (map != nullptr) bpf_map__set_max_entries(map, entries);
  return map;
}

bool Sampler::Load(const SamplerConfig& config, Failure& failure) {
  object_.reset(bpf_object__open_file(config.object_path.c_str(), nullptr));
  if (!object_) {
    failure = {"BPF_OBJECT_INVALID", "reading the BPF object", errno, {}};
    return false;
  }
  if (!SetKnobs(config, failure)) return false;

  bpf_map* targets = SizedMap("targets", config.max_targets);
  bpf_map* thinned = SizedMap("thinned", config.max_targets);
  bpf_map* processes = SizedMap("processes", config.max_processes);
  const auto cpus = static_cast<uint32_t>(libbpf_num_possible_cpus());
  if (SizedMap("ring", config.ring_bytes) == nullptr || SizedMap("stack_scratch", cpus) == nullptr ||
      targets == nullptr || thinned == nullptr || processes == nullptr) {
    failure = {"BPF_OBJECT_INVALID", "finding the maps of the BPF object", ENOENT, {}};
    return false;
  }
  if (int error = bpf_object__load(object_.get()); error != 0) {
    failure = {nullptr, "loading the BPF program", -error, {}};
    return false;
  }
  processes_fd_ = bpf_map__fd(processes);
  targets_ = std::make_unique<TargetTable>(bpf_map__fd(targets), bpf_map__fd(thinned), config.max_targets,
                                           libbpf_num_possible_cpus());
  return true;
}

// Having checked the version, nothing else of the object needs to be.
bool Sampler::SetKnobs(const SamplerConfig& config, Failure& failure) {
  fg_cpu_knobs knobs = {};
  size_t size = 0;
  void* initial = nullptr;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    if (strstr(bpf_map__name(map), ".rodata") == nullptr) continue;
    initial = const_cast<void*>(bpf_map__initial_value(map, &size));
    break;
  }
  program_ = bpf_object__find_program_by_name(object_.get(), kProgram);
  if (initial != nullptr && size == sizeof(knobs)) memcpy(&knobs, initial, sizeof(knobs));
  if (program_ == nullptr || knobs.abi_version != FG_CPU_ABI_VERSION) {
    failure = {"BPF_OBJECT_INVALID", "the BPF object is not of this addon's version", EINVAL, {}};
    return false;
  }
  knobs.filter = config.filter;
  knobs.max_user_frames = config.max_user_frames;
  knobs.task_registers = access(kKernelBtf, R_OK) == 0;
  memcpy(initial, &knobs, sizeof(knobs));
  return true;
}

bool Sampler::AttachTo(int cpu, uint32_t frequency_hz, Failure& failure) {
  std::string where = " on CPU " + std::to_string(cpu);
  UniqueFd event = OpenCpuClock(cpu, frequency_hz);
  if (event.Get() < 0) {
    bool not_permitted = errno == EPERM || errno == EACCES;
    failure = {
        not_permitted ? "PERF_NOT_PERMITTED" : "PERF_OPEN_FAILED", "perf_event_open" + where, errno, {}};
    return false;
  }
  bpf_link* link = bpf_program__attach_perf_event(program_, event.Get());
  if (link == nullptr) {
    bool not_permitted = errno == EPERM || errno == EACCES;
    failure = {not_permitted ? "PERF_NOT_PERMITTED" : "PERF_OPEN_FAILED",
               "attaching to perf event" + where,
               errno,
               {}};
    return false;
  }
  clocks_.push_back(event.Release());  // the link's now
  links_.emplace_back(link);
  return true;
}

bool Sampler::AddProcess(const ProcessConfig& config, Failure& failure) {
  fg_process process = {};
  process.max_stack_bytes = config.max_stack_bytes;
  if (config.layout) {
    if (const char* fault = FaultIn(*config.layout); fault != nullptr) {
      failure = {"SAMPLER_LAYOUT_INVALID", std::string("the layout of the JVM's ") + fault, EINVAL, {}};
      return false;
    }
    process.total_collections =
        static_cast<uint64_t>(std::max<int64_t>(config.layout->total_collections_address, 0));
    process.gc_active = static_cast<uint64_t>(std::max<int64_t>(config.layout->is_gc_active_address, 0));
  }
  drain_->AddProcess(config.pid, config.layout);
  if (bpf_map_update_elem(processes_fd_, &config.pid, &process, BPF_ANY) == 0) return true;
  int error = errno;
  drain_->RemoveProcess(config.pid);
  failure = {
      error == E2BIG ? "SAMPLER_PROCESSES_FULL" : "SAMPLER_TARGET_FAILED", "adding a process", error, {}};
  return false;
}

void Sampler::RemoveProcess(uint32_t pid) {
  bpf_map_delete_elem(processes_fd_, &pid);
  drain_->RemoveProcess(pid);
}

bool Sampler::FollowCoroutines(uint32_t pid, const HeapLayout& heap, Failure& failure) {
  if (const char* fault = FaultIn(heap); fault != nullptr) {
    failure = {"SAMPLER_LAYOUT_INVALID", std::string("the layout of the JVM's ") + fault, EINVAL, {}};
    return false;
  }
  fg_process process;
  if (bpf_map_lookup_elem(processes_fd_, &pid, &process) != 0) return true;
  drain_->FollowCoroutines(pid, heap);
  process.wake = 1;
  if (bpf_map_update_elem(processes_fd_, &pid, &process, BPF_EXIST) == 0) return true;
  failure = {"SAMPLER_TARGET_FAILED", "following a process's coroutines", errno, {}};
  return false;
}

bool Sampler::AddWaits(uint64_t target, uint64_t least_ns, Failure& failure) {
  return drain_->AddWaits(
      target, least_ns, [&] { return WaitProbe::Open(waits_, failure); }, failure);
}

bool Sampler::AddIo(uint64_t target, uint64_t least_ns, Failure& failure) {
  if (!io_) io_ = IoProbe::Open(io_config_, failure);
  if (!io_) return false;
  if (io_->Add(target, least_ns, failure)) return true;
  if (io_->IsEmpty()) io_.reset();
  return false;
}

// A probe that is gone forgets which calls had begun: one that is attached again must not meet their ends.
void Sampler::RemoveIo(uint64_t target) {
  if (!io_) return;
  io_->Remove(target);
  if (!io_->IsEmpty()) return;
  for (auto& [id, counts] : io_->Take()) io_left_over_[id] += counts;
  io_.reset();
}

std::optional<IoBatch> Sampler::TakeIo(IoStacks::Taken stacks) {
  std::unordered_map<uint64_t, IoCounts> counts =
      io_ ? io_->Take() : std::unordered_map<uint64_t, IoCounts>();
  for (auto& [target, left_over] : std::exchange(io_left_over_, {})) counts[target] += left_over;
  if (counts.empty()) return std::nullopt;
  for (auto [target, lost] : stacks.lost) {
    auto found = counts.find(target);
    if (found == counts.end()) continue;
    found->second.lost_calls += lost.calls;
    found->second.lost_ns += lost.ns;
  }
  return IoBatch{std::move(stacks.aggregate), std::move(counts)};
}

// A sample that was under way when its target was removed may come with a later batch: hence the union.
Batch Sampler::Take() {
  RingDrain::Drained drained = drain_->Take();
  std::unordered_map<uint64_t, Tally> tallies = drained.aggregate.Tallies();
  std::unordered_map<uint64_t, uint64_t> ring_losses = targets_->TakeRingLosses();
  for (auto [target, ring_full] : ring_losses) tallies.try_emplace(target);

  Batch batch{std::move(drained.aggregate),
              {},
              std::move(drained.news),
              std::move(drained.waits),
              TakeIo(std::move(drained.io))};
  for (auto [target, tally] : tallies) {
    auto loss = ring_losses.find(target);
    batch.targets.push_back({target, tally, loss == ring_losses.end() ? 0 : loss->second});
    taken_ += tally.taken;
    table_full_ += tally.table_full;
  }
  return batch;
}

Counters Sampler::Count() {
  Counters counters;
  int possible_cpus = libbpf_num_possible_cpus();
  counters.per_cpu.resize(static_cast<size_t>(possible_cpus));
  uint32_t zero = 0;
  bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object_.get(), "counters"), &zero,
                      counters.per_cpu.data());
  counters.taken = taken_;
  counters.table_full = table_full_;
  counters.malformed = drain_->Malformed();
  counters.unwound = drain_->Unwound();
  counters.waits = drain_->Waits().value_or(WaitScanCounts());
  if (io_) counters.io = io_->Count();

  bpf_prog_info info = {};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program_), &info, &size) == 0) {
    counters.runs = info.run_cnt;
    counters.run_ns = info.run_time_ns;
  }
  return counters;
}

}  // namespace flamegate
