#pragma once
#include <bpf/libbpf.h>
#include <pthread.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "failure.h"
#include "unique_fd.h"

namespace flamegate {

struct ExecWatchConfig {
  std::string object_path;
  uint64_t ancestor = 0;  ///< cgroup v2 id; 0 is the whole node
  /// On a thread of the watch: a process of this pid ran another program at this time of CLOCK_MONOTONIC.
  std::function<void(uint32_t pid, uint64_t time_ns)> on_exec;
};

/// Tells of processes that begin to run another program. Nothing is pinned: when this or the process is gone,
/// so is everything in the kernel.
class ExecWatch {
 public:
  /// Null on failure.
  static std::unique_ptr<ExecWatch> Open(ExecWatchConfig config, Failure& failure);
  /// Joins the thread.
  ~ExecWatch();
  ExecWatch(const ExecWatch&) = delete;
  ExecWatch& operator=(const ExecWatch&) = delete;

  /// Execs the kernel's ring had no room for.
  uint64_t Lost() const;

 private:
  explicit ExecWatch(ExecWatchConfig config) : config_(std::move(config)) {}
  bool Load(Failure& failure);
  bool Start(Failure& failure);
  static int OnRecord(void* self, void* data, size_t size);
  static void* Run(void* self);

  ExecWatchConfig config_;
  bpf_object* object_ = nullptr;
  bpf_link* link_ = nullptr;
  ring_buffer* ring_ = nullptr;
  int ring_fd_ = -1;
  int lost_fd_ = -1;
  UniqueFd stop_event_;
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace flamegate
