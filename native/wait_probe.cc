#include "wait_probe.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bpf_knobs.h"
#include "bpf_log.h"
#include "unique_fd.h"

namespace flamegate {
namespace {

constexpr char kProgram[] = "on_switch";
constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";
// 172 bytes each; a bucket of the table, which comes whole, has a few.
constexpr uint32_t kListedAtOnce = 512;

// Whether a thread has run since it had run so long in its life. Kernels without CONFIG_SCHED_INFO do not
// tell.
bool HasRunSince(uint32_t tid, uint64_t ran_ns) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%u/schedstat", tid);
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (file.Get() < 0 || read(file.Get(), text, sizeof(text) - 1) <= 0) return false;
  return strtoull(text, nullptr, 10) != ran_ns;
}

}  // namespace

std::unique_ptr<WaitProbe> WaitProbe::Open(const WaitProbeConfig& config, Failure& failure) {
  BpfLog log;
  std::unique_ptr<WaitProbe> probe(new WaitProbe);
  if (probe->Load(config, failure)) return probe;
  failure.log = log.Take();
  if (failure.code == nullptr) failure.code = CodeOfLoad(failure.error, failure.log);
  return nullptr;
}

bool WaitProbe::Load(const WaitProbeConfig& config, Failure& failure) {
  if (access(kKernelBtf, R_OK) != 0) {
    failure = {"OFFCPU_NO_BTF", "reading the kernel's types from /sys/kernel/btf/vmlinux", errno, {}};
    return false;
  }
  object_.reset(bpf_object__open_file(config.object_path.c_str(), nullptr));
  if (!object_) {
    failure = {"BPF_OBJECT_INVALID", "reading the BPF object", errno, {}};
    return false;
  }
  if (!SetKnobs(config, failure)) return false;
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), "targets"), config.max_targets);
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), "threads"), config.max_threads);
  if (int error = bpf_object__load(object_.get()); error != 0) {
    failure = {nullptr, "loading the BPF program", -error, {}};
    return false;
  }
  threads_fd_ = MapFd("threads");
  targets_fd_ = MapFd("targets");
  return true;
}

bool WaitProbe::SetKnobs(const WaitProbeConfig& config, Failure& failure) {
  fg_offcpu_knobs knobs = {};
  void* initial = ReadKnobs(object_.get(), knobs, FG_OFFCPU_ABI_VERSION, failure);
  if (initial == nullptr) return false;
  knobs.filter = config.filter;
  memcpy(initial, &knobs, sizeof(knobs));
  return true;
}

// Threads that were noted when it was a target before may have run unnoticed since.
bool WaitProbe::Add(uint64_t target, uint64_t least_ns, Failure& failure) {
  if (!bits_of_.contains(target)) Forget(target);
  fg_wait_target value = {};
  bpf_map_lookup_elem(targets_fd_, &target, &value);  // zeros of one that is new
  value.least_ns = least_ns;
  if (bpf_map_update_elem(targets_fd_, &target, &value, BPF_ANY) != 0) {
    failure = {
        errno == E2BIG ? "SAMPLER_TARGETS_FULL" : "SAMPLER_TARGET_FAILED", "watching who waits", errno, {}};
    return false;
  }
  bits_of_[target] = static_cast<uint32_t>(target % FG_FILTER_BITS);
  if (SetFilter() && (link_ || Attach(failure))) return true;
  if (failure.code == nullptr) failure = {"SAMPLER_TARGET_FAILED", "watching who waits", errno, {}};
  Remove(target);
  return false;
}

std::optional<WaitTotals> WaitProbe::Remove(uint64_t target) {
  if (bits_of_.erase(target) == 0) return std::nullopt;
  WaitTotals totals = TotalsOf(target);
  bpf_map_delete_elem(targets_fd_, &target);
  SetFilter();
  if (bits_of_.empty()) link_.reset();
  Forget(bits_of_.empty() ? std::nullopt : std::optional(target));
  return totals;
}

bool WaitProbe::SetFilter() const {
  fg_offcpu_filter filter = {};
  for (auto [target, bit] : bits_of_) filter.bits[bit / 64] |= uint64_t{1} << bit % 64;
  uint32_t zero = 0;
  return bpf_map_update_elem(MapFd("filter"), &zero, &filter, BPF_ANY) == 0;
}

bool WaitProbe::Attach(Failure& failure) {
  BpfLog log;
  link_.reset(bpf_program__attach(bpf_object__find_program_by_name(object_.get(), kProgram)));
  if (link_) return true;
  int error = errno;
  bool is_not_permitted = error == EPERM || error == EACCES;
  failure = {is_not_permitted ? "BPF_NOT_PERMITTED" : "OFFCPU_ATTACH_FAILED",
             "attaching the BPF program to sched_switch", error, log.Take()};
  return false;
}

void WaitProbe::Forget(std::optional<uint64_t> target) {
  List(true);
  for (const ThreadWait& one : listed_) {
    if (!target || one.wait.target == *target) bpf_map_delete_elem(threads_fd_, &one.tid);
  }
}

const std::vector<ThreadWait>& WaitProbe::List() {
  List(false);
  return listed_;
}

// Those that run have a start of zero.
void WaitProbe::List(bool with_running) {
  tids_.resize(kListedAtOnce);
  values_.resize(kListedAtOnce);
  listed_.clear();
  uint32_t token = 0;
  void* in = nullptr;
  for (bool is_last = false; !is_last;) {
    uint32_t count = kListedAtOnce;
    if (bpf_map_lookup_batch(threads_fd_, in, &token, tids_.data(), values_.data(), &count, nullptr) != 0) {
      if (errno != ENOENT) break;
      is_last = true;
    }
    for (uint32_t i = 0; i < count; i++) {
      if (with_running || values_[i].start_ns != 0) listed_.push_back({tids_[i], values_[i]});
    }
    in = &token;
  }
}

// Not all switches are traced (bpf/offcpu.bpf.c): a thread that has run since does not wait.
bool WaitProbe::IsStill(const ThreadWait& seen) const {
  fg_wait now = {};
  if (bpf_map_lookup_elem(threads_fd_, &seen.tid, &now) != 0) return false;
  return memcmp(&now, &seen.wait, sizeof(now)) == 0 && !HasRunSince(seen.tid, seen.wait.ran_ns);
}

WaitTotals WaitProbe::TotalsOf(uint64_t target) const {
  fg_wait_target value = {};
  bpf_map_lookup_elem(targets_fd_, &target, &value);  // zeros of one that is not watched
  WaitTotals totals;
  std::copy(std::begin(value.by_kind), std::end(value.by_kind), totals.begin());
  return totals;
}

WaitProbe::Runs WaitProbe::Count() const {
  Runs runs;
  std::vector<fg_offcpu_counters> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  uint32_t zero = 0;
  bpf_map_lookup_elem(MapFd("counters"), &zero, per_cpu.data());
  for (const fg_offcpu_counters& cpu : per_cpu) runs.threads_full += cpu.threads_full;
  bpf_prog_info info = {};
  uint32_t size = sizeof(info);
  int fd = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), kProgram));
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return runs;
  runs.runs = info.run_cnt;
  runs.run_ns = info.run_time_ns;
  return runs;
}

}  // namespace flamegate
