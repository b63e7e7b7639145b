#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "transcript.h"

namespace flamegate {

using Record = std::vector<uint8_t>;

/// Does with one connection's calls what bpf/requests.bpf.c does, by the same code where it is code of both:
/// what a socket is, and how frames are followed. Other protocols' calls become records here, too.
class KernelPart {
 public:
  /// Calls come in parts of so many bytes; 0: in one.
  explicit KernelPart(size_t part_bytes);
  ~KernelPart();
  KernelPart(const KernelPart&) = delete;
  KernelPart& operator=(const KernelPart&) = delete;

  /// The records of an event, each with the sequence number behind the one before.
  std::vector<Record> Happen(const TranscriptEvent& event, uint64_t time_ns);
  void BeginSocket(uint64_t born_ns);
  void LoseRecords(uint32_t count) { sequence_ += count; }

 private:
  struct Frames;
  void AddCall(const TranscriptEvent& event, uint64_t time_ns, std::vector<Record>& records);
  void Walk(const TranscriptEvent& event, uint64_t time_ns, std::vector<Record>& records);
  Record RecordOf(const TranscriptEvent& event, uint64_t time_ns, std::string_view bytes, bool is_http2);

  size_t part_bytes_;
  uint64_t born_ns_ = 1;
  uint32_t sequence_ = 0;
  uint32_t role_ = 0;
  bool was_seen_ = false;
  Frames* frames_;
};

}  // namespace flamegate
