#include "ring_drain.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "brief_slice.h"
#include "cpu.h"
#include "monotonic_clock.h"
#include "worker_thread.h"

namespace flamegate {
namespace {

// Most samples do not wake us, unless the ring fills up. What is unwound at one go finds its tables in the
// CPU's caches but once.
constexpr int kDrainEveryMs = 100;
// What belongs to copied stacks has to be read before it changes, which it does while a JVM compiles.
constexpr int kDrainChangingEveryMs = 25;
// Samples that cannot wait wake us, from as many CPUs as there are, but not more often than this: a wake-up
// costs what the unwinding of a stack does.
constexpr int kLeastMs = 1;

}  // namespace

RingDrain::RingDrain(int ring_fd, uint32_t max_stacks)
    : max_stacks_(max_stacks), ring_fd_(ring_fd), aggregate_(max_stacks), io_(max_stacks) {}

std::unique_ptr<RingDrain> RingDrain::Start(int ring_fd, uint32_t max_stacks, Failure& failure) {
  std::unique_ptr<RingDrain> drain(new RingDrain(ring_fd, max_stacks));
  drain->ring_ = ring_buffer__new(ring_fd, OnRecord, drain.get(), nullptr);
  if (drain->ring_ == nullptr) {
    failure = {"BPF_LOAD_FAILED", "mapping the ring buffer", errno, {}};
    return nullptr;
  }
  drain->stop_event_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  if (drain->stop_event_.Get() < 0) {
    failure = {"SAMPLER_NO_THREAD", "making the event that ends the draining of the ring", errno, {}};
    return nullptr;
  }
  if (int error = StartWithoutSignals(&drain->thread_, Run, drain.get()); error != 0) {
    failure = {"SAMPLER_NO_THREAD", "starting the thread that drains the ring", error, {}};
    return nullptr;
  }
  drain->running_ = true;
  pthread_setname_np(drain->thread_, "flamegate-ring");
  return drain;
}

RingDrain::~RingDrain() {
  if (running_) {
    {
      Locked locked(lock_);
      stop_ = true;
    }
    eventfd_write(stop_event_.Get(), 1);
    pthread_join(thread_, nullptr);
  }
  ring_buffer__free(ring_);
  pthread_mutex_destroy(&lock_);
}

RingDrain::Drained RingDrain::Take() {
  Locked locked(lock_);
  ring_buffer__consume(ring_);
  std::optional<WaitBatch> waits;
  if (waits_) waits = waits_->Take(MonotonicNs());
  if (waits_ && waits_->IsEmpty()) waits_.reset();
  processes_.SettleAll(aggregate_);
  Aggregate taken = std::exchange(aggregate_, Aggregate(max_stacks_));
  aggregate_.KeepMoments(moment_targets_);
  return {std::move(taken), processes_.TakeNews(), std::move(waits), io_.Take()};
}

uint64_t RingDrain::Malformed() {
  Locked locked(lock_);
  return malformed_;
}

UnwindCounts RingDrain::Unwound() {
  Locked locked(lock_);
  return processes_.Counts();
}

void RingDrain::AddProcess(uint32_t pid, const std::optional<HotspotLayout>& layout) {
  Locked locked(lock_);
  processes_.Add(pid, layout, aggregate_);
}

void RingDrain::FollowCoroutines(uint32_t pid, const HeapLayout& heap) {
  Locked locked(lock_);
  processes_.FollowCoroutines(pid, heap);
}

void RingDrain::KeepMoments(std::unordered_set<uint64_t> targets) {
  Locked locked(lock_);
  moment_targets_ = std::move(targets);
  aggregate_.KeepMoments(moment_targets_);
  if (waits_) waits_->KeepMoments(moment_targets_);
}

void RingDrain::RemoveWaits(uint64_t target) {
  Locked locked(lock_);
  if (waits_) waits_->Remove(target, MonotonicNs());
}

std::optional<WaitScanCounts> RingDrain::Waits() {
  Locked locked(lock_);
  return waits_ ? std::optional(waits_->Count()) : std::nullopt;
}

void RingDrain::Jitter(ClockJitter jitter) {
  Locked locked(lock_);
  jitter_ = std::move(jitter);
}

void RingDrain::SetFrequency(uint32_t frequency_hz) {
  Locked locked(lock_);
  jitter_.SetFrequency(frequency_hz, MonotonicNs());
}

void RingDrain::RemoveProcess(uint32_t pid) {
  Locked locked(lock_);
  ring_buffer__consume(ring_);
  processes_.Remove(pid, aggregate_);
}

// Never an error: that would stop the reading of the ring.
int RingDrain::OnRecord(void* self, void* data, size_t size) {
  auto* drain = static_cast<RingDrain*>(self);
  std::span record(static_cast<const uint8_t*>(data), size);
  auto* header = static_cast<const fg_cpu_sample_header*>(data);
  bool is_ours = size >= sizeof(*header) && header->version == FG_CPU_ABI_VERSION;
  bool is_walked = is_ours && header->kind == FG_RECORD_CPU_SAMPLE && drain->AddWalked(record);
  bool is_copied = is_ours && header->kind == FG_RECORD_CPU_STACK && drain->AddCopied(record);
  bool is_io = is_ours && header->kind == FG_RECORD_IO_STACK && drain->AddIo(record);
  if (!is_walked && !is_copied && !is_io) drain->malformed_++;
  return 0;
}

bool RingDrain::AddWalked(std::span<const uint8_t> record) {
  auto* sample = reinterpret_cast<const fg_cpu_sample*>(record.data());
  size_t frames = size_t{sample->header.kernel_frames} + sample->header.user_frames;
  if (record.size() < sizeof(sample->header) + frames * sizeof(__u64)) return false;
  aggregate_.Add(sample->header, {reinterpret_cast<const uint64_t*>(sample->frames), frames});
  return true;
}

bool RingDrain::AddCopied(std::span<const uint8_t> bytes) {
  std::optional<StackRecord> record = ParseStackRecord(bytes);
  if (!record) return false;
  processes_.Unwind(*record, aggregate_);
  return true;
}

bool RingDrain::AddIo(std::span<const uint8_t> bytes) {
  std::optional<StackRecord> record = ParseStackRecord(bytes);
  return record && io_.Add(*record, processes_, aggregate_);
}

void* RingDrain::Run(void* self) {
  static_cast<RingDrain*>(self)->Loop();
  return nullptr;
}

int RingDrain::PatienceMs(uint64_t now_ns) const {
  int patience_ms = processes_.AreCalm(now_ns) ? kDrainEveryMs : kDrainChangingEveryMs;
  if (!waits_) return patience_ms;
  uint64_t due_ns = std::max(waits_->DueNs(), now_ns);
  return std::min(patience_ms, static_cast<int>((due_ns - now_ns) / 1'000'000) + 1);
}

void RingDrain::ScanWaits() {
  uint64_t now_ns = MonotonicNs();
  if (waits_ && now_ns >= waits_->DueNs()) waits_->Scan(now_ns, processes_, aggregate_);
}

void RingDrain::SleepUntilNeeded(uint64_t drained_ns, int patience_ms) {
  pollfd events[] = {{stop_event_.Get(), POLLIN, 0}, {ring_fd_, POLLIN, 0}};
  if (poll(events, 2, patience_ms) <= 0) return;
  uint64_t passed_ms = (MonotonicNs() - drained_ns) / 1'000'000;
  if (passed_ms < kLeastMs) poll(events, 1, kLeastMs - static_cast<int>(passed_ms));
}

void RingDrain::Loop() {
  PreferBriefSlices();
  int patience_ms = kDrainEveryMs;
  uint64_t drained_ns = 0;
  for (;;) {
    SleepUntilNeeded(drained_ns, patience_ms);
    Locked locked(lock_);
    if (stop_) return;
    ring_buffer__consume(ring_);
    drained_ns = MonotonicNs();
    ScanWaits();
    processes_.SettleDue(drained_ns, aggregate_);
    jitter_.Turn(drained_ns);
    patience_ms = PatienceMs(drained_ns);
  }
}

}  // namespace flamegate
