#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "heap_layout.h"
#include "hotspot_layout.h"

namespace flamegate {

/// What is known of another process's memory: bytes that were read, and pages that could not be.
class RecordedMemory {
 public:
  enum class End : uint8_t {
    kWhole,
    kUnreadable,  ///< as in the process
    kUnknown,     ///< nobody read it when this was recorded
  };
  struct Copied {
    size_t bytes;
    End end;
  };

  /// False if another byte is known of one of the places.
  bool Learn(uint64_t address, std::span<const uint8_t> bytes);
  void LearnUnreadable(uint64_t address);
  /// As far as possible.
  Copied Copy(uint64_t address, std::span<uint8_t> into) const;
  void Write(FILE* into) const;

 private:
  static constexpr uint64_t kPageBytes = 4096;
  struct Page {
    std::array<uint8_t, kPageBytes> bytes;
    std::bitset<kPageBytes> known;
    bool is_whole = false;
  };

  std::map<uint64_t, Page> pages_;  ///< by address
  std::set<uint64_t> unreadable_;
};

/// A record of the ring as BPF wrote it, aligned as the ring has it.
class RingRecord {
 public:
  explicit RingRecord(std::span<const uint8_t> bytes);
  std::span<const uint8_t> Bytes() const { return {Begin(), size_}; }
  std::span<uint8_t> Bytes() { return {reinterpret_cast<uint8_t*>(words_.data()), size_}; }
  void Truncate(size_t size) { size_ = size < size_ ? size : size_; }

 private:
  const uint8_t* Begin() const { return reinterpret_cast<const uint8_t*>(words_.data()); }

  std::vector<uint64_t> words_;
  size_t size_;
};

/// Stacks of one process, and all that was read to unwind them.
struct StackRecording {
  std::string name;
  std::string maps;  ///< the text of /proc/PID/maps
  HotspotLayout layout;
  std::optional<HeapLayout> heap;
  RecordedMemory memory;
  std::vector<RingRecord> records;
};

/// The pieces that a file of recordings consists of: kind and length (uint32_t each), then the content.
/// src/native/testing/stack-recording.ts reads and writes them, too.
enum class PieceKind : uint32_t {
  kName = 1,    ///< begins a recording
  kMaps,        ///< text
  kLayout,      ///< lines of a field's name and its number
  kHeap,        ///< alike; missing where coroutines are not followed
  kMemory,      ///< an address (uint64_t), then the bytes there
  kUnreadable,  ///< addresses of pages
  kRecord,
};

void WritePiece(FILE* into, PieceKind kind, std::span<const uint8_t> content);

/// Nothing and a sentence if the file is none of this version.
std::optional<std::vector<StackRecording>> ReadRecordings(const char* path, std::string& why_not);

}  // namespace flamegate
