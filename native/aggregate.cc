#include "aggregate.h"

#include <algorithm>

namespace flamegate {
namespace {

constexpr size_t kCount = 3;
constexpr size_t kKernelFrames = 4;
constexpr size_t kUserFrames = 5;
constexpr size_t kRowHeader = 6;
constexpr size_t kFirstSlots = 1024;
// 24 bytes each: ten seconds of 64 busy CPUs at 49 Hz have half of it.
constexpr size_t kMaxMoments = 64 << 10;

size_t RowLength(std::span<const uint32_t> row) {
  return kRowHeader + row[kKernelFrames] + row[kUserFrames];
}

// FNV-1a over words with a final mix; the count is no part of a row's identity.
uint64_t HashOf(std::span<const uint32_t> row) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < row.size(); i++) {
    if (i != kCount) hash = (hash ^ row[i]) * 0x100000001b3;
  }
  return hash ^ (hash >> 32);
}

}  // namespace

bool Aggregate::Add(const fg_cpu_sample_header& header, std::span<const uint64_t> frames, uint64_t weight,
                    uint32_t count) {
  Tally& tally = tallies_[header.target];
  if (header.user_frames == 0) tally.no_user_stack++;
  if (header.flags & (FG_SAMPLE_USER_TRUNCATED | FG_SAMPLE_KERNEL_TRUNCATED)) tally.truncated++;

  candidate_.assign({static_cast<uint32_t>(header.target), static_cast<uint32_t>(header.target >> 32),
                     header.pid, count, header.kernel_frames, header.user_frames});
  for (uint64_t address : frames) {
    std::optional<uint32_t> index = IndexOf(address);
    if (!index) {
      tally.table_full++;
      return false;
    }
    candidate_.push_back(*index);
  }

  if (slots_.size() < 2 * (size_t{row_count_} + 1)) GrowSlots();
  uint32_t* slot = FindSlot(candidate_);
  if (*slot == 0 && row_count_ == max_stacks_) {
    tally.table_full++;
    return false;
  }
  if (*slot != 0) {
    rows_[*slot - 1 + kCount] += count;
  } else {
    *slot = static_cast<uint32_t>(rows_.size()) + 1;
    rows_.insert(rows_.end(), candidate_.begin(), candidate_.end());
    row_count_++;
  }
  if (weight != 0) weight_at_[*slot] += weight;
  if (!moment_targets_.empty() && moments_.size() < kMaxMoments && moment_targets_.contains(header.target))
    moments_.push_back({header.time_ns, weight, *slot - 1, header.tid});
  tally.taken++;
  return true;
}

std::vector<uint64_t> Aggregate::Weights() const {
  std::vector<uint64_t> weights;
  for (auto [row, weight] : weight_at_) weights.push_back(weight);
  return weights;
}

// A full table takes no new address either, or random stacks could grow it without end.
std::optional<uint32_t> Aggregate::IndexOf(uint64_t address) {
  if (row_count_ == max_stacks_) {
    auto found = index_of_address_.find(address);
    return found == index_of_address_.end() ? std::nullopt : std::optional(found->second);
  }
  auto [entry, is_new] = index_of_address_.try_emplace(address, static_cast<uint32_t>(addresses_.size()));
  if (is_new) addresses_.push_back(address);
  return entry->second;
}

uint32_t* Aggregate::FindSlot(std::span<const uint32_t> row) {
  size_t mask = slots_.size() - 1;
  for (size_t at = HashOf(row) & mask;; at = (at + 1) & mask) {
    if (slots_[at] == 0 || SameRow(slots_[at] - 1, row)) return &slots_[at];
  }
}

bool Aggregate::SameRow(size_t at, std::span<const uint32_t> row) const {
  std::span<const uint32_t> other = std::span(rows_).subspan(at);
  if (!std::equal(row.begin(), row.begin() + kCount, other.begin())) return false;
  if (!std::equal(row.begin() + kKernelFrames, row.begin() + kRowHeader, other.begin() + kKernelFrames))
    return false;
  return std::equal(row.begin() + kRowHeader, row.end(), other.begin() + kRowHeader);
}

void Aggregate::GrowSlots() {
  slots_.assign(std::max(kFirstSlots, slots_.size() * 2), 0);
  std::span<const uint32_t> rest = rows_;
  for (size_t at = 0; at < rows_.size();) {
    std::span<const uint32_t> row = rest.subspan(at, RowLength(rest.subspan(at)));
    *FindSlot(row) = static_cast<uint32_t>(at) + 1;
    at += row.size();
  }
}

}  // namespace flamegate
