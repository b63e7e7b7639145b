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
constexpr uint64_t kEntriesPerIndexRead = 32 * kEntriesPerRead;
constexpr size_t kEntryBytes = 8;
// Of one file; 300 bytes each. The JVM's own threads run through some hundred functions.
constexpr size_t kMaxDescriptions = 4096;
constexpr size_t kMaxCommons = 256;  // compilers make a few dozen
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
  into.shrink_to_fit();  // most have a tenth of the usual, and are kept
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
  return table.ReadIndex(memory) ? std::optional(std::move(table)) : std::nullopt;
}

// Starts of all entries are looked through once, and every 256th is kept: then one read finds any.
bool UnwindTable::ReadIndex(ForeignMemory& memory) {
  std::vector<int32_t> entries(2 * kEntriesPerIndexRead);
  for (uint64_t first = 0; first < count_; first += kEntriesPerIndexRead) {
    uint64_t count = std::min(kEntriesPerIndexRead, count_ - first);
    std::span bytes(reinterpret_cast<uint8_t*>(entries.data()), count * kEntryBytes);
    if (!memory.Read(entries_ + first * kEntryBytes, bytes)) return false;
    for (uint64_t i = 0; i < count; i += kEntriesPerRead) index_.push_back(entries[2 * i]);
  }
  return true;
}

std::optional<CfiRow> UnwindTable::RowAt(ForeignMemory& memory, uint64_t pc) {
  const Description* description = DescriptionOf(memory, pc);
  if (description == nullptr) return std::nullopt;
  const std::vector<uint8_t>* common = CommonAt(memory, description->common_address);
  if (common == nullptr) return std::nullopt;
  return CfiRowAt({*common, description->common_address + 4, description->bytes, description->address + 4},
                  pc);
}

const UnwindTable::Description* UnwindTable::DescriptionOf(ForeignMemory& memory, uint64_t pc) {
  auto after = descriptions_.upper_bound(pc);
  if (after != descriptions_.begin()) {
    const Description& known = std::prev(after)->second;
    if (pc - known.range.begin < known.range.length) return &known;
  }
  std::optional<uint64_t> address = FindDescription(memory, pc);
  Description description = {{}, address.value_or(0), {}, 0};
  if (!address || !ReadRecord(memory, *address, description.bytes)) return nullptr;
  uint64_t back = UnsignedAt(description.bytes, 0, 4);
  if (back == 0) return nullptr;
  description.common_address = *address + 4 - back;
  const std::vector<uint8_t>* common = CommonAt(memory, description.common_address);
  if (common == nullptr) return nullptr;
  std::optional<CfiRange> range =
      CfiRangeOf({*common, description.common_address + 4, description.bytes, *address + 4});
  if (!range || pc - range->begin >= range->length) return nullptr;
  description.range = *range;
  if (descriptions_.size() >= kMaxDescriptions) descriptions_.clear();
  return &descriptions_.insert_or_assign(range->begin, std::move(description)).first->second;
}

const std::vector<uint8_t>* UnwindTable::CommonAt(ForeignMemory& memory, uint64_t address) {
  auto known = commons_.find(address);
  if (known != commons_.end()) return &known->second;
  std::vector<uint8_t> bytes;
  if (!ReadRecord(memory, address, bytes)) return nullptr;
  if (commons_.size() >= kMaxCommons) commons_.clear();
  return &commons_.emplace(address, std::move(bytes)).first->second;
}

// The last entry that begins at or before pc.
std::optional<uint64_t> UnwindTable::FindDescription(ForeignMemory& memory, uint64_t pc) const {
  auto wanted = static_cast<int64_t>(pc - header_);
  auto after = std::upper_bound(index_.begin(), index_.end(), wanted);
  if (after == index_.begin()) return std::nullopt;
  uint64_t first = static_cast<uint64_t>(after - index_.begin() - 1) * kEntriesPerRead;
  uint64_t count = std::min<uint64_t>(kEntriesPerRead, count_ - first);
  std::array<int32_t, 2 * kEntriesPerRead> entries;
  std::span bytes(reinterpret_cast<uint8_t*>(entries.data()), count * kEntryBytes);
  if (!memory.Read(entries_ + first * kEntryBytes, bytes)) return std::nullopt;
  for (uint64_t left = count; left-- > 0;) {
    if (entries[2 * left] <= wanted) return header_ + static_cast<uint64_t>(int64_t{entries[2 * left + 1]});
  }
  return std::nullopt;
}

}  // namespace flamegate
