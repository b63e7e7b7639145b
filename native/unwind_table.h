#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
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

  std::optional<CfiRow> RowAt(ForeignMemory& memory, uint64_t pc);

 private:
  struct Description {
    CfiRange range;
    uint64_t address;
    std::vector<uint8_t> bytes;
    uint64_t common_address;
  };

  bool ReadIndex(ForeignMemory& memory);
  std::optional<uint64_t> FindDescription(ForeignMemory& memory, uint64_t pc) const;
  const Description* DescriptionOf(ForeignMemory& memory, uint64_t pc);
  const std::vector<uint8_t>* CommonAt(ForeignMemory& memory, uint64_t address);

  uint64_t header_ = 0;  ///< .eh_frame_hdr
  uint64_t entries_ =
      0;  ///< pairs of int32 relative to the header: where code begins, where its description is
  uint64_t count_ = 0;
  std::vector<int32_t> index_;                    ///< where the code of each 256th entry begins
  std::map<uint64_t, Description> descriptions_;  ///< those met, by where their code begins
  std::unordered_map<uint64_t, std::vector<uint8_t>> commons_;
};

}  // namespace flamegate
