#include "request_watcher.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bpf_log.h"
#include "monotonic_clock.h"

namespace flamegate {
namespace {

// In this time 5,000 requests a second of a kilobyte fill half a megabyte; a ring that fills sooner wakes us.
constexpr int kDrainEveryMs = 100;

struct Hook {
  const char* program;
  const char* system_call;  // of tracepoints of system calls
};

constexpr Hook kSocketHooks[] = {
    {"on_received", nullptr}, {"on_sent", nullptr}, {"on_data_ready", nullptr}, {"on_state", nullptr}};
constexpr Hook kSystemCallHooks[] = {{"on_call_received", "sys_exit_read"},
                                     {"on_call_received", "sys_exit_readv"},
                                     {"on_call_received", "sys_exit_recvfrom"},
                                     {"on_call_received", "sys_exit_recvmsg"},
                                     {"on_call_sent", "sys_exit_write"},
                                     {"on_call_sent", "sys_exit_writev"},
                                     {"on_call_sent", "sys_exit_sendto"},
                                     {"on_call_sent", "sys_exit_sendmsg"},
                                     {"on_call_sent", "sys_exit_sendfile64"},
                                     {"on_segment", nullptr},
                                     {"on_state", nullptr}};

std::span<const Hook> HooksOf(Hooks hooks) {
  if (hooks == Hooks::kSockets) return kSocketHooks;
  return kSystemCallHooks;
}

bool HasTracepoint(const char* name) {
  return libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP) > 0;
}

Hooks Chosen(Hooks wanted) {
  if (wanted != Hooks::kAny) return wanted;
  bool has_all = HasTracepoint("sock_recv_length") && HasTracepoint("sock_send_length") &&
                 HasTracepoint("sk_data_ready");
  return has_all ? Hooks::kSockets : Hooks::kSystemCalls;
}

bool IsNotPermitted(int error) {
  return error == EPERM || error == EACCES;
}

}  // namespace

std::unique_ptr<RequestWatcher> RequestWatcher::Open(const RequestWatcherConfig& config, Failure& failure) {
  BpfLog log;
  std::unique_ptr<RequestWatcher> watcher(new RequestWatcher);
  watcher->hooks_ = Chosen(config.hooks);
  if (!watcher->Load(config, failure)) {
    failure.log = log.Take();
    if (failure.code == nullptr) failure.code = CodeOfLoad(failure.error, failure.log);
    return nullptr;
  }
  if (config.measure) watcher->statistics_ = UniqueFd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  watcher->table_ = std::make_unique<RequestTable>(config.max_connections, config.max_exchanges);
  RequestTable* table = watcher->table_.get();
  watcher->drain_ = DrainThread::Start(
      watcher->MapFd("ring"), kDrainEveryMs, [table](std::span<const uint8_t> record) { table->Add(record); },
      failure);
  if (!watcher->drain_) return nullptr;
  return watcher;
}

bool RequestWatcher::Load(const RequestWatcherConfig& config, Failure& failure) {
  object_.reset(bpf_object__open_file(config.object_path.c_str(), nullptr));
  if (!object_) {
    failure = {"BPF_OBJECT_INVALID", "reading the BPF object", errno, {}};
    return false;
  }
  if (!SetKnobs(config, failure)) return false;
  auto set_size = [&](const char* name, uint32_t entries) {
    bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), name), entries);
  };
  set_size("ring", config.ring_bytes);
  set_size("targets", config.max_containers);
  set_size("stop_counters", config.max_containers);
  set_size("connections", config.max_connections);
  set_size("http2_connections", config.max_connections);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    std::span<const Hook> hooks = HooksOf(hooks_);
    bool is_used = std::any_of(hooks.begin(), hooks.end(), [&](const Hook& hook) {
      return strcmp(hook.program, bpf_program__name(program)) == 0;
    });
    bpf_program__set_autoload(program, is_used);
  }
  if (int error = bpf_object__load(object_.get()); error != 0) {
    failure = {nullptr, "loading the BPF programs", -error, {}};
    return false;
  }
  return true;
}

// Having checked the version, nothing else of the object needs to be.
bool RequestWatcher::SetKnobs(const RequestWatcherConfig& config, Failure& failure) {
  fg_requests_knobs knobs = {};
  size_t size = 0;
  void* initial = nullptr;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    if (strstr(bpf_map__name(map), ".rodata") == nullptr) continue;
    initial = const_cast<void*>(bpf_map__initial_value(map, &size));
    break;
  }
  if (initial != nullptr && size == sizeof(knobs)) memcpy(&knobs, initial, sizeof(knobs));
  if (knobs.abi_version != FG_REQUESTS_ABI_VERSION) {
    failure = {"BPF_OBJECT_INVALID", "the BPF object is not of this addon's version", EINVAL, {}};
    return false;
  }
  knobs.wakeup_bytes = config.ring_bytes / 4;
  memcpy(initial, &knobs, sizeof(knobs));
  return true;
}

bool RequestWatcher::Watch(uint64_t cgroup, uint32_t container, Failure& failure) {
  fg_watched watched = {container, 0, {}};
  if (bpf_map_update_elem(MapFd("targets"), &cgroup, &watched, BPF_ANY) != 0) {
    failure = {
        errno == E2BIG ? "SAMPLER_TARGETS_FULL" : "SAMPLER_TARGET_FAILED", "watching a container", errno, {}};
    return false;
  }
  std::erase_if(watched_, [&](const auto& entry) { return entry.first == cgroup; });
  watched_.emplace_back(cgroup, container);
  if (!links_.empty() || Attach(failure)) return true;
  Unwatch(cgroup);
  return false;
}

void RequestWatcher::Unwatch(uint64_t cgroup) {
  auto found = std::find_if(watched_.begin(), watched_.end(),
                            [&](const auto& entry) { return entry.first == cgroup; });
  if (found == watched_.end()) return;
  uint32_t container = found->second;
  watched_.erase(found);
  bpf_map_delete_elem(MapFd("targets"), &cgroup);
  if (watched_.empty()) Detach();
  drain_->With([&] { table_->Forget(container); });
}

bool RequestWatcher::Attach(Failure& failure) {
  BpfLog log;
  for (const Hook& hook : HooksOf(hooks_)) {
    if (AttachTo(hook.program, hook.system_call, failure)) continue;
    failure.log = log.Take();
    return false;
  }
  return true;
}

bool RequestWatcher::AttachTo(const char* name, const char* system_call, Failure& failure) {
  bpf_program* program = bpf_object__find_program_by_name(object_.get(), name);
  bpf_link* link = system_call == nullptr ? bpf_program__attach(program)
                                          : bpf_program__attach_tracepoint(program, "syscalls", system_call);
  if (link == nullptr) {
    int error = errno;
    std::string where = system_call == nullptr ? name : system_call;
    failure = {IsNotPermitted(error) ? "BPF_NOT_PERMITTED" : "REQUESTS_ATTACH_FAILED",
               "attaching the BPF program " + where,
               error,
               {}};
    return false;
  }
  links_.emplace_back(link);
  return true;
}

// While nobody listens, sockets close unnoticed: none may be taken for one of those later.
void RequestWatcher::Detach() {
  links_.clear();
  for (const char* name : {"http2_connections", "connections"}) {
    int connections = MapFd(name);
    uint64_t socket = 0;
    while (bpf_map_get_next_key(connections, nullptr, &socket) == 0) {
      if (bpf_map_delete_elem(connections, &socket) != 0 && errno != ENOENT) break;
    }
  }
}

std::vector<Exchange> RequestWatcher::Take() {
  return drain_->With([&] { return table_->Take(MonotonicNs()); });
}

bool RequestWatcher::CountStops(uint32_t process, uint64_t address, Failure& failure) {
  if (bpf_map_update_elem(MapFd("stop_counters"), &process, &address, BPF_ANY) == 0) return true;
  failure = {errno == E2BIG ? "SAMPLER_PROCESSES_FULL" : "SAMPLER_TARGET_FAILED",
             "counting how long a process stands still",
             errno,
             {}};
  return false;
}

void RequestWatcher::ForgetStops(uint32_t process) {
  bpf_map_delete_elem(MapFd("stop_counters"), &process);
}

std::vector<OpenRequest> RequestWatcher::Open() {
  return drain_->With([&] { return table_->Open(); });
}

std::array<uint64_t, FG_HIDDEN_COUNT> RequestWatcher::Hidden(uint64_t cgroup) const {
  fg_watched watched = {};
  bpf_map_lookup_elem(MapFd("targets"), &cgroup, &watched);  // zeros of one that is not watched
  std::array<uint64_t, FG_HIDDEN_COUNT> hidden = {};
  std::copy(std::begin(watched.hidden), std::end(watched.hidden), hidden.begin());
  return hidden;
}

WatcherCounters RequestWatcher::Count() {
  WatcherCounters counters;
  std::vector<fg_requests_counters> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  uint32_t zero = 0;
  bpf_map_lookup_elem(MapFd("counters"), &zero, per_cpu.data());
  for (const fg_requests_counters& cpu : per_cpu) {
    for (size_t i = 0; i < counters.by_cause.size(); i++) counters.by_cause[i] += cpu.by_cause[i];
  }
  counters.requests = drain_->With([&] { return table_->Counts(); });
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    bpf_prog_info info = {};
    uint32_t size = sizeof(info);
    int fd = bpf_program__fd(program);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
    counters.programs.push_back({bpf_program__name(program), info.run_cnt, info.run_time_ns});
  }
  return counters;
}

}  // namespace flamegate
