#pragma once
#include <bpf/libbpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drain_thread.h"
#include "failure.h"
#include "request_table.h"
#include "requests.h"
#include "unique_fd.h"

namespace flamegate {

/// Where the kernel is listened to. kAny: at sockets if this kernel can.
enum class Hooks { kAny, kSockets, kSystemCalls };

struct RequestWatcherConfig {
  std::string object_path;
  Hooks hooks;
  uint32_t ring_bytes;
  uint32_t max_containers;
  uint32_t max_connections;
  uint32_t max_exchanges;
  bool measure;  ///< have the kernel count the programs' runs, if we may (CAP_SYS_ADMIN)
};

struct ProgramRuns {
  std::string name;
  uint64_t runs;
  uint64_t run_ns;
};

struct WatcherCounters {
  std::array<uint64_t, FG_SOCKET_CAUSE_COUNT> by_cause = {};
  RequestCounts requests;
  std::vector<ProgramRuns> programs;  ///< those that are attached; zeros unless measured
};

/// The BPF programs, loaded, and attached while a container is watched, with the thread that drains their
/// ring. Nothing is pinned: when this or the process is gone, so is everything in the kernel.
class RequestWatcher {
 public:
  /// Null on failure.
  static std::unique_ptr<RequestWatcher> Open(const RequestWatcherConfig& config, Failure& failure);

  /// A container by the id of its cgroup v2 directory, under a number of the caller's.
  bool Watch(uint64_t cgroup, uint32_t container, Failure& failure);
  void Unwatch(uint64_t cgroup);
  /// Where the process's JVM counts how long it stood still.
  bool CountStops(uint32_t process, uint64_t address, Failure& failure);
  void ForgetStops(uint32_t process);
  std::vector<Exchange> Take();
  std::vector<OpenRequest> Open();
  /// Calls by which a watched container received what cannot be read here, by enum fg_hidden.
  std::array<uint64_t, FG_HIDDEN_COUNT> Hidden(uint64_t cgroup) const;
  WatcherCounters Count();
  bool UsesSockets() const { return hooks_ == Hooks::kSockets; }

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  RequestWatcher() = default;
  bool Load(const RequestWatcherConfig& config, Failure& failure);
  bool SetKnobs(const RequestWatcherConfig& config, Failure& failure);
  bool Attach(Failure& failure);
  bool AttachTo(const char* program, const char* system_call, Failure& failure);
  void Detach();
  int MapFd(const char* name) const { return bpf_object__find_map_fd_by_name(object_.get(), name); }

  // Destroyed from the last to the first: the drain's thread, the links, then the maps and the programs.
  std::unique_ptr<bpf_object, CloseObject> object_;
  Hooks hooks_ = Hooks::kAny;
  std::unique_ptr<RequestTable> table_;
  std::vector<std::pair<uint64_t, uint32_t>> watched_;  // cgroup and container
  UniqueFd statistics_;
  std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
  std::unique_ptr<DrainThread> drain_;
};

}  // namespace flamegate
