#include "native_code.h"

namespace flamegate {
namespace {

// 50 bytes each; a busy service's stacks go through some thousand native call sites.
constexpr size_t kMaxPlaces = 32'768;
// 400 bytes each; some hundred are in use.
constexpr size_t kMaxRows = 4096;
constexpr size_t kMaxImages = 4096;

size_t HashOf(const CfiRow& row) {
  size_t hash = 0xcbf29ce484222325;
  auto mix = [&](size_t value) { hash = (hash ^ value) * 0x100000001b3; };
  auto mix_rule = [&](const CfiRule& rule) {
    mix(rule.kind);
    mix(static_cast<size_t>(rule.value));
  };
  mix_rule(row.cfa);
  mix(static_cast<size_t>(row.cfa_offset));
  for (const CfiRule& rule : row.registers) mix_rule(rule);
  return hash;
}

}  // namespace

const CfiRow* NativeCode::RowAt(uint64_t pc) {
  auto known = row_of_pc_.find(pc);
  if (known != row_of_pc_.end()) return rows_[known->second].get();
  std::optional<CfiRow> row = Read(pc);
  if (row_of_pc_.size() >= kMaxPlaces || rows_.size() >= kMaxRows) {
    row_of_pc_.clear();
    row_of_hash_.clear();
    rows_.clear();
  }
  if (rows_.empty()) rows_.push_back(nullptr);
  uint32_t index = row ? Intern(std::move(*row)) : 0;
  row_of_pc_.emplace(pc, index);
  return rows_[index].get();
}

uint32_t NativeCode::Intern(CfiRow row) {
  auto [place, is_new] = row_of_hash_.try_emplace(HashOf(row), static_cast<uint32_t>(rows_.size()));
  if (!is_new && *rows_[place->second] == row) return place->second;
  rows_.push_back(std::make_unique<CfiRow>(std::move(row)));
  return static_cast<uint32_t>(rows_.size() - 1);
}

std::optional<CfiRow> NativeCode::Read(uint64_t pc) {
  const MemoryMap::Range* range = RangeOf(pc);
  if (range == nullptr || range->image == 0) return std::nullopt;
  auto known = table_of_image_.find(range->image);
  if (known == table_of_image_.end()) {
    if (table_of_image_.size() >= kMaxImages) table_of_image_.clear();
    known = table_of_image_.emplace(range->image, UnwindTable::Open(memory_, range->image)).first;
  }
  return known->second ? known->second->RowAt(memory_, pc) : std::nullopt;
}

const MemoryMap::Range* NativeCode::RangeOf(uint64_t pc) {
  const MemoryMap::Range* range = map_.Find(pc);
  if (range != nullptr || !may_reload_) return range;
  Reload();
  return map_.Find(pc);
}

// Files that are still where they were keep what is known of them.
void NativeCode::Reload() {
  may_reload_ = false;
  MemoryMap now;
  if (!now.Load(pid_)) return;
  for (const MemoryMap::Range& range : map_.Ranges()) {
    const MemoryMap::Range* same = now.Find(range.start);
    if (range.image == 0 || (same != nullptr && same->image == range.image)) continue;
    table_of_image_.clear();
    row_of_pc_.clear();
    break;
  }
  map_ = std::move(now);
}

}  // namespace flamegate
