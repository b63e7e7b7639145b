#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
  /// Notes that a blob is used.
  void Use(CodeBlob& blob);
  /// From here on what is used is of a stack of this time (CLOCK_MONOTONIC), before which the JVM had
  /// collected so often.
  void BeginStack(uint64_t time_ns, std::optional<uint32_t> collections);
  /// Whether what is in doubt is confirmed by the next Confirm (careful), or only by the next Settle.
  void SetCareful(bool is_careful) { is_careful_ = is_careful; }
  bool IsCareful() const { return is_careful_; }
  /// Only if it is still there is this stack what it seems.
  void Doubt(CodeBlob& blob);
  /// In one read, what of this stack is in doubt. False, if some of it is not there any more: it is dropped.
  bool Confirm();
  /// Whether, since the last Settle, code was met that is newer than all before, or was not there any more:
  /// the compiler is at work.
  bool HasChanged() const { return has_changed_; }
  /// From one Settle to the next.
  uint32_t Period() const { return period_; }
  /// Whether a blob was still there after the stack had been copied.
  bool IsCertain(const CodeBlob& blob) const { return blob.confirmed_ns >= stack_ns_; }
  /// Whether it may have come after the stack had been copied, in the place of what ran then.
  bool MayBeNewer(const CodeBlob& blob) const { return blob.met_ns >= stack_ns_; }
  /// Whether it was there at the last Settle or later, and no collection, by which code is freed, has begun
  /// since. Concurrent marking and the sweeper of 17 free some without.
  bool IsRecent(const CodeBlob& blob) const {
    return blob.confirmed_ns >= settled_ns_ && blob.collections && blob.collections == stack_collections_;
  }
  /// Confirms what was used since the last Settle, and drops what is not there any more: its block was freed
  /// and used again. A new period begins.
  void Settle(ReplacedCode& replaced);
  /// Forgets the blobs that were used last before this period. Right after a Settle only.
  void ForgetUnused(uint32_t period);

  NameTable& Names() { return names_; }

 private:
  CodeBlob* Read(uint64_t address);
  const std::string* NameAt(uint64_t address);
  /// Whether they are there; those that are not are dropped.
  bool LookAt(std::span<CodeBlob* const> blobs);
  CodeBlob* Add(CodeBlob blob);
  void Drop(CodeBlob& blob);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  CodeHeaps heaps_;
  std::deque<CodeBlob> blobs_;
  std::map<uint64_t, CodeBlob*> by_address_;
  std::vector<CodeBlob*> free_;
  std::vector<CodeBlob*> used_;      ///< in this period, of compiled code
  std::vector<CodeBlob*> doubtful_;  ///< of this stack
  std::vector<uint64_t> places_;     ///< of what is being confirmed
  std::vector<uint8_t> pieces_;
  std::vector<CodeBlob*> dropped_;
  std::vector<uint32_t> replaced_;  ///< serials of those dropped that were used
  std::unordered_map<uint64_t, std::string> name_at_;
  NameTable names_;
  uint32_t last_serial_ = 0;
  uint32_t newest_ = 0;  ///< the highest compile id met
  uint32_t period_ = 1;
  uint64_t stack_ns_ = 0;
  std::optional<uint32_t> stack_collections_;
  uint64_t settled_ns_ = 0;
  bool is_careful_ = true;
  bool has_changed_ = false;
};

}  // namespace flamegate
