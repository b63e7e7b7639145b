#pragma once
#include <bpf/libbpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "aggregate.h"
#include "cpu.h"
#include "failure.h"
#include "hotspot_layout.h"
#include "io_probe.h"
#include "ring_drain.h"
#include "target_table.h"
#include "unique_fd.h"

namespace flamegate {

struct SamplerConfig {
  std::string object_path;
  uint32_t frequency_hz;
  fg_filter filter;
  uint32_t max_user_frames;
  uint32_t ring_bytes;
  uint32_t max_targets;
  uint32_t max_processes;
  uint32_t max_stacks;
  std::vector<int> cpus;
  bool measure;  ///< have the kernel count the program's runs, if we may (CAP_SYS_ADMIN)
  std::string offcpu_object_path;
  uint32_t max_waiting_threads;
  std::string io_object_path;
};

struct ProcessConfig {
  uint32_t pid;
  std::optional<HotspotLayout> layout;
  uint32_t max_stack_bytes;
};

struct TargetBatch {
  uint64_t target;
  Tally tally;
  uint64_t ring_full;
};

/// What targets read, wrote and synced since the last batch.
struct IoBatch {
  Aggregate stacks;  ///< native/io_stacks.h
  std::unordered_map<uint64_t, IoCounts> targets;
};

struct Batch {
  Aggregate aggregate;
  std::vector<TargetBatch> targets;
  std::vector<ProcessNews> news;
  std::optional<WaitBatch> waits;
  std::optional<IoBatch> io;
};

struct Counters {
  std::vector<fg_cpu_counters> per_cpu;  ///< by possible CPU
  uint64_t taken = 0;
  uint64_t table_full = 0;
  uint64_t malformed = 0;
  UnwindCounts unwound;
  uint64_t runs = 0;  ///< 0 unless the kernel's BPF statistics are on
  uint64_t run_ns = 0;
  WaitScanCounts waits;
  IoProbe::Runs io;
};

/// The BPF program, loaded and attached to a clock of every CPU, with the thread that drains it. Nothing is
/// pinned: when this or the process is gone, so is everything in the kernel.
class Sampler {
 public:
  /// Null on failure.
  static std::unique_ptr<Sampler> Open(const SamplerConfig& config, Failure& failure);

  bool AddTarget(uint64_t target, Failure& failure) { return targets_->Add(target, failure); }
  bool RemoveTarget(uint64_t target, Failure& failure) { return targets_->Remove(target, failure); }
  /// From now on the clocks of all CPUs tick so often.
  void SetFrequency(uint32_t frequency_hz) { drain_->SetFrequency(frequency_hz); }
  /// Of a target's ticks only this part is sampled from now on, chosen at random.
  bool Thin(uint64_t target, double part, Failure& failure) { return targets_->Thin(target, part, failure); }
  /// From now on the process's stacks are copied and unwound here, if its target is sampled. Adding it again
  /// replaces what was known; removing one that is not there changes nothing.
  bool AddProcess(const ProcessConfig& process, Failure& failure);
  void RemoveProcess(uint32_t pid);
  /// From now on the suspended callers of an added process's coroutines are among its frames, and each of its
  /// samples wakes the drain. One that was not added is passed over.
  bool FollowCoroutines(uint32_t pid, const HeapLayout& heap, Failure& failure);
  /// From now on it is looked at who waits in this target, longer than that; in those of added processes, by
  /// which stack. Adding it again changes how long.
  bool AddWaits(uint64_t target, uint64_t least_ns, Failure& failure);
  void RemoveWaits(uint64_t target) { drain_->RemoveWaits(target); }
  /// From now on it is kept when samples and waits of these targets were, and of no others.
  void KeepMoments(std::unordered_set<uint64_t> targets) { drain_->KeepMoments(std::move(targets)); }
  /// From now on it is counted what this target reads, writes and syncs; calls that last so long are slow,
  /// and those of added processes have stacks. Adding it again changes how long.
  bool AddIo(uint64_t target, uint64_t least_ns, Failure& failure);
  void RemoveIo(uint64_t target);
  Batch Take();
  Counters Count();

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  Sampler() = default;
  bpf_map* SizedMap(const char* name, uint32_t entries);
  bool Load(const SamplerConfig& config, Failure& failure);
  bool SetKnobs(const SamplerConfig& config, Failure& failure);
  bool AttachTo(int cpu, uint32_t frequency_hz, Failure& failure);
  std::optional<IoBatch> TakeIo(IoStacks::Taken stacks);

  // Destroyed from the last to the first: the drain's thread, the links, then the maps and the program.
  std::unique_ptr<bpf_object, CloseObject> object_;
  bpf_program* program_ = nullptr;
  int processes_fd_ = -1;
  std::unique_ptr<TargetTable> targets_;
  UniqueFd statistics_;
  std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
  std::vector<int> clocks_;  ///< the perf events of the links
  std::unique_ptr<RingDrain> drain_;
  std::unique_ptr<IoProbe> io_;  ///< null while nobody asks
  WaitProbeConfig waits_;
  IoProbeConfig io_config_;
  std::unordered_map<uint64_t, IoCounts> io_left_over_;  ///< of the last probe that is gone
  uint64_t taken_ = 0;
  uint64_t table_full_ = 0;
};

}  // namespace flamegate
