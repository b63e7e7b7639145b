#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack_recording.h"

namespace flamegate {

/// How what is read differs from what was recorded.
struct Tampering {
  uint32_t fail_every = 0;  ///< each call of this number fails; 0: none does
  uint64_t change_at = 0;   ///< which contiguous part that is read is changed, counting from 1; 0: none
  size_t change_offset = 0;
  std::optional<uint64_t> word;  ///< what eight bytes become; else one bit is flipped
  uint8_t bit = 0;
  bool is_lasting = false;  ///< the place stays changed, else only this once
};

/// Stands in for another process while it exists, of which there is one at a time: the system calls by which
/// the unwinder reaches a process (process_vm_readv, and open of /proc/PID/maps) are answered from a
/// recording. The linker puts these answers in the calls' place (--wrap), so that all code above them is what
/// is shipped.
class ReplayedProcess {
 public:
  explicit ReplayedProcess(const StackRecording& recording, const Tampering& tampering = {});
  ~ReplayedProcess();
  ReplayedProcess(const ReplayedProcess&) = delete;
  ReplayedProcess& operator=(const ReplayedProcess&) = delete;

  uint64_t Calls() const { return calls_; }
  uint64_t FailedCalls() const { return failed_calls_; }
  uint64_t Parts() const { return parts_; }
  bool IsTampered() const { return is_tampered_; }
  /// The first address asked for that the recording says nothing of.
  std::optional<uint64_t> Unknown() const { return unknown_; }

  /// As the kernel would: how many bytes, or -1.
  ssize_t Read(std::span<const std::span<uint8_t>> into, std::span<const std::span<const uint8_t>> from);
  const std::string& Maps() const { return recording_.maps; }

 private:
  struct Change {
    uint64_t address;
    std::array<uint8_t, 8> bytes;
    size_t size;
  };

  size_t ReadPart(uint64_t address, std::span<uint8_t> into);
  void Tamper(uint64_t address, std::span<uint8_t> bytes);

  const StackRecording& recording_;
  Tampering tampering_;
  std::optional<Change> lasting_;
  uint64_t calls_ = 0;
  uint64_t failed_calls_ = 0;
  uint64_t parts_ = 0;
  bool is_tampered_ = false;
  std::optional<uint64_t> unknown_;
};

}  // namespace flamegate
