#include "unwind_table.h"

#include <elf.h>

#include <algorithm>
#include <array>

#include "dwarf_reader.h"

namespace flamegate {
namespace {

constexpr uint16_t kMaxProgramHeaders = 64;  // linkers write about a dozen
constexpr uint32_t kMaxEntries = 4 << 20;    // libjvm has 44,000
constexpr uint32_t kMaxDescription = 64 << 10;
constexpr size_t kUsualDescription = 512;  // one read is enough for nine in ten
constexpr size_t kEntriesPerRead = 256;
constexpr size_t kEntryBytes = 8;
// DW_EH_PE_datarel | DW_EH_PE_sdata4 and DW_EH_PE_udata4, which every linker writes.
constexpr uint8_t kTableEncoding = 0x3b;
constexpr uint8_t kCountEncoding = 0x03;

uint64_t PageOf(uint64_t address) {
  return address & ~uint64_t{4095};
}

// A length and what follows it, without the length.
bool ReadRecord(ForeignMemory& memory, uint64_t address, std::vector<uint8_t>& into) {
  into.resize(kUsualDescription);
  into.resize(memory.ReadSome(address, into));
  uint64_t length = UnsignedAt(into, 0, 4);
  if (length == 0 || length > kMaxDescription) return false;  // 0xffffffff begins a 64-bit length
  if (into.size() < 4 + length) {
    into.resize(4 + length);
    if (!memory.Read(address, into)) return false;
  }
  into.resize(4 + length);
  into.erase(into.begin(), into.begin() + 4);
  return true;
}

}  // namespace

std::optional<UnwindTable> UnwindTable::Open(ForeignMemory& memory, uint64_t image) {
  auto elf = memory.Get<Elf64_Ehdr>(image);
  if (!elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_ident[EI_CLASS] != ELFCLASS64)
    return std::nullopt;
  if (elf->e_phentsize != sizeof(Elf64_Phdr) || elf->e_phnum > kMaxProgramHeaders) return std::nullopt;
  std::vector<Elf64_Phdr> segments(elf->e_phnum);
  std::span bytes(reinterpret_cast<uint8_t*>(segments.data()), segments.size() * sizeof(Elf64_Phdr));
  if (!memory.Read(image + elf->e_phoff, bytes)) return std::nullopt;

  std::optional<uint64_t> bias;
  std::optional<uint64_t> header;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && PageOf(segment.p_offset) == 0 && !bias)
      bias = image - PageOf(segment.p_vaddr);
    if (segment.p_type == PT_GNU_EH_FRAME) header = segment.p_vaddr;
  }
  if (!bias || !header) return std::nullopt;

  UnwindTable table;
  table.header_ = *bias + *header;
  std::array<uint8_t, 24> start;
  if (!memory.Read(table.header_, start)) return std::nullopt;
  DwarfReader reader(start, table.header_);
  bool is_known = reader.Unsigned(1) == 1;
  auto pointer_encoding = static_cast<uint8_t>(reader.Unsigned(1));
  is_known &= reader.Unsigned(1) == kCountEncoding;
  is_known &= reader.Unsigned(1) == kTableEncoding;
  reader.Pointer(pointer_encoding);
  table.count_ = reader.Unsigned(4);
  table.entries_ = reader.Address();
  if (!is_known || reader.Failed() || table.count_ == 0 || table.count_ > kMaxEntries) return std::nullopt;
  return table;
}

std::optional<CfiRow> UnwindTable::RowAt(ForeignMemory& memory, uint64_t pc) const {
  std::optional<uint64_t> at = FindDescription(memory, pc);
  if (!at) return std::nullopt;
  std::vector<uint8_t> description;
  if (!ReadRecord(memory, *at, description)) return std::nullopt;
  uint64_t back = UnsignedAt(description, 0, 4);
  uint64_t common_at = *at + 4 - back;
  std::vector<uint8_t> common;
  if (back == 0 || !ReadRecord(memory, common_at, common)) return std::nullopt;
  return CfiRowAt(common, common_at + 4, description, *at + 4, pc);
}

// The last entry that begins at or before pc: halves the table until what is left is one read.
std::optional<uint64_t> UnwindTable::FindDescription(ForeignMemory& memory, uint64_t pc) const {
  auto start_of = [&](uint64_t index) { return memory.Get<int32_t>(entries_ + index * kEntryBytes); };
  auto wanted = static_cast<int64_t>(pc - header_);
  uint64_t first = 0;
  uint64_t count = count_;
  while (count > kEntriesPerRead) {
    uint64_t half = count / 2;
    std::optional<int32_t> start = start_of(first + half);
    if (!start) return std::nullopt;
    if (*start <= wanted) first += half;
    count = *start <= wanted ? count - half : half;
  }
  std::array<int32_t, 2 * kEntriesPerRead> entries;
  std::span bytes(reinterpret_cast<uint8_t*>(entries.data()), count * kEntryBytes);
  if (!memory.Read(entries_ + first * kEntryBytes, bytes)) return std::nullopt;
  for (uint64_t left = count; left-- > 0;) {
    if (entries[2 * left] <= wanted) return header_ + static_cast<uint64_t>(int64_t{entries[2 * left + 1]});
  }
  return std::nullopt;
}

}  // namespace flamegate
