#pragma once
#include <bpf/libbpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "failure.h"
#include "io.h"

namespace flamegate {

struct IoProbeConfig {
  std::string object_path;
  fg_filter filter;
  uint32_t max_targets;
  int ring_fd;       ///< the sampler's, which stacks come by
  int processes_fd;  ///< whose stacks are copied
};

using IoTotals = std::array<fg_io_total, FG_IO_KINDS>;

/// What a target's calls came to.
struct IoCounts {
  IoTotals totals = {};
  uint64_t unseen = 0;
  uint64_t lost_calls = 0;
  uint64_t lost_ns = 0;

  IoCounts& operator+=(const IoCounts& more);
};

/// The BPF programs that count what is read, written and synced: loaded and attached as long as this lives.
/// Nothing is pinned: when this or the process is gone, so is everything in the kernel. Not thread-safe.
class IoProbe {
 public:
  /// Null on failure.
  static std::unique_ptr<IoProbe> Open(const IoProbeConfig& config, Failure& failure);
  ~IoProbe();
  IoProbe(const IoProbe&) = delete;
  IoProbe& operator=(const IoProbe&) = delete;

  /// Calls that last for `least_ns` or longer are slow. Adding a target again changes that.
  bool Add(uint64_t target, uint64_t least_ns, Failure& failure);
  /// What was counted until now still comes with the next Take.
  void Remove(uint64_t target);
  bool IsEmpty() const { return told_.empty(); }
  /// Of each target that was watched since the last call, what was counted since then.
  std::unordered_map<uint64_t, IoCounts> Take();

  struct Runs {
    uint64_t runs = 0;  ///< 0 unless the kernel's BPF statistics are on
    uint64_t run_ns = 0;
  };
  /// Of all programs that are attached.
  Runs Count() const;

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  IoProbe() = default;
  bool Load(const IoProbeConfig& config, Failure& failure);
  bool SetKnobs(const IoProbeConfig& config, Failure& failure);
  bool Attach(Failure& failure);
  bool AttachTo(const char* program, const std::string& tracepoint, Failure& failure);
  IoCounts SumOfValue() const;
  int MapFd(const char* name) const { return bpf_object__find_map_fd_by_name(object_.get(), name); }

  // Destroyed from the last to the first: the links, then the maps and the programs.
  std::unique_ptr<bpf_object, CloseObject> object_;
  std::vector<fg_io_target> value_;                   ///< one per possible CPU, as the kernel hands it out
  std::unordered_map<uint64_t, IoCounts> told_;       ///< target → already handed over
  std::unordered_map<uint64_t, IoCounts> left_over_;  ///< removed target → not yet handed over
  std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
};

}  // namespace flamegate
