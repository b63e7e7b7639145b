#pragma once
#include <bpf/libbpf.h>
#include <pthread.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "failure.h"
#include "unique_fd.h"
#include "worker_thread.h"

namespace flamegate {

/// Empties a ring of the kernel on a thread of its own: from time to time, and when the kernel says that it
/// fills.
class DrainThread {
 public:
  using OnRecord = std::function<void(std::span<const uint8_t>)>;

  /// Null on failure. The ring's map must outlive it. `on_record` runs under the lock that With takes.
  static std::unique_ptr<DrainThread> Start(int ring_fd, int every_ms, OnRecord on_record, Failure& failure);
  /// Joins the thread.
  ~DrainThread();
  DrainThread(const DrainThread&) = delete;
  DrainThread& operator=(const DrainThread&) = delete;

  /// Drains what is in the ring now, then runs `body` while nothing is drained.
  template <typename Body>
  auto With(Body body) {
    Locked locked(lock_);
    ring_buffer__consume(ring_);
    return body();
  }

 private:
  DrainThread(int every_ms, OnRecord on_record) : every_ms_(every_ms), on_record_(std::move(on_record)) {}
  static int Record(void* self, void* data, size_t size);
  static void* Run(void* self);
  void Loop();

  int every_ms_;
  OnRecord on_record_;
  UniqueFd stop_event_;
  UniqueFd epoll_;
  ring_buffer* ring_ = nullptr;
  pthread_t thread_{};
  bool is_running_ = false;
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;  ///< guards the reading end of the ring, and is_stopped_
  bool is_stopped_ = false;
};

}  // namespace flamegate
