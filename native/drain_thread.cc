#include "drain_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

namespace flamegate {
namespace {

// By edge: a ring is readable as soon as anything is in it, but wakes its readers only when the kernel's part
// says so.
bool Watch(int epoll, int fd, uint32_t events) {
  epoll_event event = {events, {}};
  event.data.fd = fd;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

std::unique_ptr<DrainThread> DrainThread::Start(int ring_fd, int every_ms, OnRecord on_record,
                                                Failure& failure) {
  std::unique_ptr<DrainThread> drain(new DrainThread(every_ms, std::move(on_record)));
  drain->ring_ = ring_buffer__new(ring_fd, Record, drain.get(), nullptr);
  if (drain->ring_ == nullptr) {
    failure = {"BPF_LOAD_FAILED", "mapping the ring buffer", errno, {}};
    return nullptr;
  }
  drain->stop_event_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  drain->epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!Watch(drain->epoll_.Get(), drain->stop_event_.Get(), EPOLLIN) ||
      !Watch(drain->epoll_.Get(), ring_fd, EPOLLIN | EPOLLET)) {
    failure = {"SAMPLER_NO_THREAD", "making the events that wake the draining of the ring", errno, {}};
    return nullptr;
  }
  if (int error = StartWithoutSignals(&drain->thread_, Run, drain.get()); error != 0) {
    failure = {"SAMPLER_NO_THREAD", "starting the thread that drains the ring", error, {}};
    return nullptr;
  }
  drain->is_running_ = true;
  pthread_setname_np(drain->thread_, "flamegate-http");
  return drain;
}

DrainThread::~DrainThread() {
  if (is_running_) {
    {
      Locked locked(lock_);
      is_stopped_ = true;
    }
    eventfd_write(stop_event_.Get(), 1);
    pthread_join(thread_, nullptr);
  }
  ring_buffer__free(ring_);
  pthread_mutex_destroy(&lock_);
}

// Never an error: that would stop the reading of the ring.
int DrainThread::Record(void* self, void* data, size_t size) {
  static_cast<DrainThread*>(self)->on_record_({static_cast<const uint8_t*>(data), size});
  return 0;
}

void* DrainThread::Run(void* self) {
  static_cast<DrainThread*>(self)->Loop();
  return nullptr;
}

void DrainThread::Loop() {
  for (;;) {
    epoll_event event;
    epoll_wait(epoll_.Get(), &event, 1, every_ms_);
    Locked locked(lock_);
    if (is_stopped_) return;
    ring_buffer__consume(ring_);
  }
}

}  // namespace flamegate
