#pragma once
#include <cstdint>
#include <deque>
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

/// The blobs of a JVM that samples have hit. What it hands out stays what it was until the next Settle, and
/// is a blob for ever: with another serial it is another one.
class CodeCache {
 public:
  CodeCache(ForeignMemory& memory, const HotspotLayout& layout) : memory_(memory), layout_(layout) {}

  /// Reads the list of heaps, which a JVM has from its first milliseconds on.
  bool Load() { return heaps_.Load(memory_, layout_); }
  bool Contains(uint64_t pc) const { return heaps_.Contains(pc); }
  /// Null, if there is no code at pc or it cannot be read.
  CodeBlob* Find(uint64_t pc);
  /// Notes that a blob is used. False, if it had not been used for a while and, on a careful look, is not
  /// there any more.
  bool Use(CodeBlob& blob);
  /// Whether what was not used in this period or the last is confirmed when it is used (careful), or only by
  /// the next Settle.
  void SetCareful(bool is_careful) { is_careful_ = is_careful; }
  /// From one Settle to the next.
  uint32_t Period() const { return period_; }
  /// Whether a blob was confirmed when this period began, or in it.
  bool IsFresh(const CodeBlob& blob) const {
    return blob.kind != BlobKind::kCompiled || blob.confirmed_in == period_;
  }
  /// Appends the addresses of the words that tell whether the compiled code used since the last Settle is
  /// still there.
  void ListUsed(std::vector<uint64_t>& places);
  /// Takes those words as they are now, and drops what is not there any more: its block was freed and used
  /// again. A new period begins.
  void Settle(std::span<const uint64_t> now, ReplacedCode& replaced);

  NameTable& Names() { return names_; }

 private:
  static constexpr size_t kConfirmingWords = 2;

  CodeBlob* Read(uint64_t address);
  const std::string* NameAt(uint64_t address);
  /// Where the words are that confirm compiled code, kConfirmingWords of them.
  void PlacesOf(const CodeBlob& blob, std::vector<uint64_t>& places) const;
  static bool IsConfirmed(const CodeBlob& blob, std::span<const uint64_t> now);
  CodeBlob* Add(CodeBlob blob);
  void Drop(CodeBlob& blob);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  CodeHeaps heaps_;
  std::deque<CodeBlob> blobs_;
  std::map<uint64_t, CodeBlob*> by_address_;
  std::vector<CodeBlob*> free_;
  std::vector<CodeBlob*> used_;  ///< in this period, of compiled code
  std::vector<CodeBlob*> dropped_;
  std::vector<uint32_t> replaced_;  ///< serials of those dropped that were used
  std::unordered_map<uint64_t, std::string> name_at_;
  NameTable names_;
  uint32_t last_serial_ = 0;
  uint32_t period_ = 1;
  bool is_careful_ = true;
};

}  // namespace flamegate
