#pragma once
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "code_blob.h"
#include "foreign_memory.h"
#include "hotspot_layout.h"
#include "method_table.h"
#include "scope_locals.h"

namespace flamegate {

/// Of one process. An instruction is decoded once; what is decoded again soon is its neighbour.
constexpr size_t kMostDebugInfoBytes = 256 << 10;

/// Tells which methods, inlined into one another, an instruction of compiled code belongs to.
class ScopeDecoder {
 public:
  ScopeDecoder(ForeignMemory& memory, const HotspotLayout& layout, MethodTable& methods)
      : memory_(memory), layout_(layout), methods_(methods) {}

  /// Appends the frames of `pc`, innermost first: one at least. Without DebugNonSafepoints debug info exists
  /// for calls, safepoints and implicit exceptions; for any other instruction it is the next such place's,
  /// and the frames say so. Whether the flag was on when a method was compiled, its debug info tells.
  void Append(const CodeBlob& blob, uint64_t pc, std::vector<uint64_t>& frames);

  /// Where the scopes at `pc` keep the references of their locals: those of the scope of this depth, counted
  /// from the innermost, and those of the scopes within it.
  struct Slots {
    std::vector<OopSlot> own;
    std::vector<OopSlot> inner;
  };
  Slots SlotsAt(const CodeBlob& blob, uint64_t pc, uint32_t depth);
  /// Numbers of methods may be others' from now on.
  void Forget();
  /// How much debug info it may hold; more goes when the next is read.
  void Limit(size_t bytes) { most_bytes_ = bytes; }

 private:
  struct Place {
    uint32_t scope = 0;  ///< 0 behind the last safepoint: nothing is known
    bool is_exact = false;
  };
  struct Desc {
    int32_t pc_offset;
    int32_t scope;
  };
  struct Scope {
    uint32_t offset;
    uint32_t sender;  ///< 0 for none
    uint16_t method;  ///< an index into the metadata, from 1
    uint16_t bci;
  };
  struct DebugInfo {
    std::vector<Desc> descs;
    std::vector<Scope> scopes;  ///< ascending
    std::vector<uint64_t> metadata;
    bool covers_all = false;  ///< there is debug info between safepoints too, as DebugNonSafepoints makes it
    std::vector<uint32_t> method_ids;  ///< of the metadata asked for: the code keeps its methods alive
    size_t counted_bytes = 0;          ///< as part of held_bytes_

    size_t Bytes() const;
    const Scope* ScopeAt(uint32_t offset) const;
  };

  DebugInfo& InfoOf(const CodeBlob& blob);
  DebugInfo Read(const CodeBlob& blob);
  void Count(DebugInfo& info);
  void AddScopes(std::span<const uint8_t> bytes, std::vector<uint32_t> wanted, DebugInfo& info);
  Place PlaceOf(const DebugInfo& info, uint64_t offset) const;
  uint32_t MethodIdAt(const CodeBlob& blob, DebugInfo& info, uint32_t index);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  MethodTable& methods_;
  std::unordered_map<uint32_t, DebugInfo> infos_;  ///< by a blob's serial
  std::deque<uint32_t> oldest_first_;
  size_t held_bytes_ = 0;
  size_t most_bytes_ = kMostDebugInfoBytes;
  std::vector<uint8_t> raw_scopes_;  ///< of the blob of this serial
  uint32_t raw_of_ = 0;
};

}  // namespace flamegate
