#include "exec_watch.h"

#include <bpf/bpf.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "bpf_log.h"
#include "exec.h"

namespace flamegate {
namespace {

bool IsRefused(int error) {
  return error == EPERM || error == EACCES;
}

}  // namespace

std::unique_ptr<ExecWatch> ExecWatch::Open(ExecWatchConfig config, Failure& failure) {
  BpfLog log;
  std::unique_ptr<ExecWatch> watch(new ExecWatch(std::move(config)));
  if (watch->Load(failure) && watch->Start(failure)) return watch;
  failure.log = log.Take();
  return nullptr;
}

bool ExecWatch::Load(Failure& failure) {
  object_ = bpf_object__open_file(config_.object_path.c_str(), nullptr);
  if (object_ == nullptr) {
    failure = {"BPF_OBJECT_INVALID", "reading the BPF object", errno, {}};
    return false;
  }
  fg_exec_knobs knobs = {};
  size_t size = 0;
  void* initial = nullptr;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_) {
    if (strstr(bpf_map__name(map), ".rodata") == nullptr) continue;
    initial = const_cast<void*>(bpf_map__initial_value(map, &size));
    break;
  }
  bpf_program* program = bpf_object__find_program_by_name(object_, "on_exec");
  if (initial != nullptr && size == sizeof(knobs)) memcpy(&knobs, initial, sizeof(knobs));
  if (program == nullptr || knobs.abi_version != FG_EXEC_ABI_VERSION) {
    failure = {"BPF_OBJECT_INVALID", "the BPF object is not of this addon's version", EINVAL, {}};
    return false;
  }
  knobs.ancestor = config_.ancestor;
  memcpy(initial, &knobs, sizeof(knobs));
  if (int error = bpf_object__load(object_); error != 0) {
    failure = {
        IsRefused(-error) ? "BPF_NOT_PERMITTED" : "BPF_LOAD_FAILED", "loading the BPF program", -error, {}};
    return false;
  }
  ring_fd_ = bpf_object__find_map_fd_by_name(object_, "execs");
  lost_fd_ = bpf_object__find_map_fd_by_name(object_, "lost");
  link_ = bpf_program__attach(program);
  if (link_ != nullptr) return true;
  failure = {IsRefused(errno) ? "BPF_NOT_PERMITTED" : "BPF_LOAD_FAILED", "attaching to exec", errno, {}};
  return false;
}

bool ExecWatch::Start(Failure& failure) {
  stop_event_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  ring_ = ring_buffer__new(ring_fd_, OnRecord, this, nullptr);
  running_ = stop_event_.Get() >= 0 && ring_ != nullptr && pthread_create(&thread_, nullptr, Run, this) == 0;
  if (!running_) {
    failure = {"SAMPLER_NO_THREAD", "starting to read execs", errno, {}};
    return false;
  }
  pthread_setname_np(thread_, "flamegate-exec");
  return true;
}

ExecWatch::~ExecWatch() {
  if (running_) {
    eventfd_write(stop_event_.Get(), 1);
    pthread_join(thread_, nullptr);
  }
  ring_buffer__free(ring_);
  bpf_link__destroy(link_);
  bpf_object__close(object_);
}

uint64_t ExecWatch::Lost() const {
  uint32_t zero = 0;
  uint64_t lost = 0;
  return bpf_map_lookup_elem(lost_fd_, &zero, &lost) == 0 ? lost : 0;
}

// Never an error: that would stop the reading of the ring.
int ExecWatch::OnRecord(void* self, void* data, size_t size) {
  auto* event = static_cast<const fg_exec*>(data);
  if (size >= sizeof(*event)) static_cast<ExecWatch*>(self)->config_.on_exec(event->pid, event->time_ns);
  return 0;
}

void* ExecWatch::Run(void* self) {
  auto* watch = static_cast<ExecWatch*>(self);
  pollfd events[] = {{watch->stop_event_.Get(), POLLIN, 0}, {watch->ring_fd_, POLLIN, 0}};
  for (;;) {
    poll(events, 2, -1);
    if ((events[0].revents & POLLIN) != 0) return nullptr;
    ring_buffer__consume(watch->ring_);
  }
}

}  // namespace flamegate
