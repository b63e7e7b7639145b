#pragma once
#include <bpf/libbpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "failure.h"
#include "offcpu.h"

namespace flamegate {

struct WaitProbeConfig {
  std::string object_path;
  fg_filter filter;
  uint32_t max_targets;
  uint32_t max_threads;
};

/// A thread that waits, as the kernel noted it when it left its CPU.
struct ThreadWait {
  uint32_t tid;
  fg_wait wait;
};

using WaitTotals = std::array<fg_wait_total, FG_WAIT_KINDS>;

/// The BPF program that notes who waits, loaded, and attached while there is a target. Nothing is pinned:
/// when this or the process is gone, so is everything in the kernel.
class WaitProbe {
 public:
  /// Null on failure.
  static std::unique_ptr<WaitProbe> Open(const WaitProbeConfig& config, Failure& failure);

  /// Waits shorter than `least_ns` do not count. Adding a target again changes that.
  bool Add(uint64_t target, uint64_t least_ns, Failure& failure);
  /// What its waits came to; nothing, if it was not there.
  std::optional<WaitTotals> Remove(uint64_t target);
  bool IsEmpty() const { return bits_of_.empty(); }

  /// Everybody who waits now. Valid until the next call.
  const std::vector<ThreadWait>& List();
  /// Whether a thread is still in the wait it was in.
  bool IsStill(const ThreadWait& seen) const;
  /// Waits of a target that ended since it was added.
  WaitTotals TotalsOf(uint64_t target) const;

  struct Runs {
    uint64_t runs = 0;  ///< 0 unless the kernel's BPF statistics are on
    uint64_t run_ns = 0;
    uint64_t threads_full = 0;
  };
  Runs Count() const;

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  WaitProbe() = default;
  bool Load(const WaitProbeConfig& config, Failure& failure);
  bool SetKnobs(const WaitProbeConfig& config, Failure& failure);
  bool Attach(Failure& failure);
  bool SetFilter() const;
  void List(bool with_running);
  void Forget(std::optional<uint64_t> target);
  int MapFd(const char* name) const { return bpf_object__find_map_fd_by_name(object_.get(), name); }

  // Destroyed from the last to the first: the link, then the maps and the program.
  std::unique_ptr<bpf_object, CloseObject> object_;
  int threads_fd_ = -1;
  int targets_fd_ = -1;
  std::unordered_map<uint64_t, uint32_t> bits_of_;  ///< target → its bit in the filter
  std::vector<uint32_t> tids_;
  std::vector<fg_wait> values_;
  std::vector<ThreadWait> listed_;
  std::unique_ptr<bpf_link, DestroyLink> link_;
};

}  // namespace flamegate
