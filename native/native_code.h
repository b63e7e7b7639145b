#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cfi.h"
#include "foreign_memory.h"
#include "memory_map.h"
#include "unwind_table.h"

namespace flamegate {

/// The machine code of a process's ELF files, and how its frames are left.
class NativeCode {
 public:
  NativeCode(pid_t pid, ForeignMemory& memory) : pid_(pid), memory_(memory) {}

  /// Of a word that may be a return address. Of most that are none: so the map is read again for it only on
  /// a careful look.
  bool Holds(uint64_t pc) { return (is_careful_ ? RangeOf(pc) : map_.Find(pc)) != nullptr; }
  /// Of the place where a thread is known to have been.
  bool Ran(uint64_t pc) { return RangeOf(pc) != nullptr; }
  void SetCareful(bool is_careful) { is_careful_ = is_careful; }
  /// The row of the instruction at pc; null, if there is none. Valid until the next call.
  const CfiRow* RowAt(uint64_t pc);
  /// Lets the map be read again, should an address not be in it: libraries are loaded later, too.
  void Revalidate() { may_reload_ = true; }

 private:
  const MemoryMap::Range* RangeOf(uint64_t pc);
  void Reload();
  std::optional<CfiRow> Read(uint64_t pc);
  uint32_t Intern(CfiRow row);

  pid_t pid_;
  ForeignMemory& memory_;
  MemoryMap map_;
  bool may_reload_ = true;
  bool is_careful_ = true;
  std::unordered_map<uint64_t, std::optional<UnwindTable>> table_of_image_;
  std::unordered_map<uint64_t, uint32_t> row_of_pc_;  ///< index into rows_
  std::vector<std::unique_ptr<CfiRow>> rows_;  ///< each once: many instructions share one; the first is null
  std::unordered_map<size_t, uint32_t> row_of_hash_;
};

}  // namespace flamegate
