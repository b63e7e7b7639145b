#pragma once
#include <pthread.h>

namespace flamegate {

/// A thread that gets no signals: they belong to Node's own. 0, or the error. pthreads, for std::thread can
/// only throw when the pod's pid limit is reached.
int StartWithoutSignals(pthread_t* thread, void* (*run)(void*), void* argument);

/// Holds a lock as long as it lives.
class Locked {
 public:
  explicit Locked(pthread_mutex_t& lock) : lock_(lock) { pthread_mutex_lock(&lock_); }
  ~Locked() { pthread_mutex_unlock(&lock_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  pthread_mutex_t& lock_;
};

}  // namespace flamegate
