#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cfi.h"
#include "foreign_memory.h"

namespace flamegate {

/// The frame descriptions of one ELF file, read where they are mapped anyhow: of the process's memory, so
/// that no file has to be found, opened or trusted to be the same. .eh_frame_hdr lists them by address.
class UnwindTable {
 public:
  /// `image` is where the ELF header is. Nothing, if there is none or it has no such table.
  static std::optional<UnwindTable> Open(ForeignMemory& memory, uint64_t image);

  std::optional<CfiRow> RowAt(ForeignMemory& memory, uint64_t pc) const;

 private:
  std::optional<uint64_t> FindDescription(ForeignMemory& memory, uint64_t pc) const;

  uint64_t header_ = 0;  ///< .eh_frame_hdr
  uint64_t entries_ =
      0;  ///< pairs of int32 relative to the header: where code begins, where its description is
  uint64_t count_ = 0;
};

}  // namespace flamegate
