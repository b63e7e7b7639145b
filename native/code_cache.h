#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "code_blob.h"
#include "code_heaps.h"
#include "code_use.h"
#include "foreign_memory.h"
#include "name_table.h"

namespace flamegate {

/// The blobs of a JVM that samples have hit. What it hands out stays there until the next Settle.
class CodeCache {
 public:
  CodeCache(ForeignMemory& memory, const HotspotLayout& layout) : memory_(memory), layout_(layout) {}

  /// Reads the list of heaps, which a JVM has from its first milliseconds on.
  bool Load() { return heaps_.Load(memory_, layout_); }
  bool Contains(uint64_t pc) const { return heaps_.Contains(pc); }
  /// Null, if there is no code at pc or it cannot be read.
  CodeBlob* Find(uint64_t pc);
  /// Notes that a blob is used. False, if it had not been used for a while and is not there any more.
  bool Use(CodeBlob& blob);
  /// Appends the addresses of the words that tell whether the compiled code used since the last Settle is
  /// still there.
  void ListUsed(std::vector<uint64_t>& places);
  /// Takes those words as they are now, and drops what is not there any more: its block was freed and used
  /// again.
  void Settle(std::span<const uint64_t> now, ReplacedCode& replaced);
  /// Rises when blobs were dropped: what was remembered of them is old.
  uint64_t Generation() const { return generation_; }

  NameTable& Names() { return names_; }

 private:
  static constexpr size_t kConfirmingWords = 2;

  CodeBlob* Read(uint64_t address);
  const std::string* NameAt(uint64_t address);
  /// Where the words are that confirm compiled code, kConfirmingWords of them.
  void PlacesOf(const CodeBlob& blob, std::vector<uint64_t>& places) const;
  static bool IsConfirmed(const CodeBlob& blob, std::span<const uint64_t> now);
  void Drop(std::map<uint64_t, CodeBlob>::iterator blob);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  CodeHeaps heaps_;
  std::map<uint64_t, CodeBlob> blobs_;  ///< by address
  std::vector<std::map<uint64_t, CodeBlob>::node_type> dropped_;
  std::vector<uint64_t> listed_;
  std::unordered_map<uint64_t, std::string> name_at_;
  NameTable names_;
  uint64_t generation_ = 0;
  uint32_t last_serial_ = 0;
};

}  // namespace flamegate
