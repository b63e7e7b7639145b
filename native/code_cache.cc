#include "code_cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bytes.h"

namespace flamegate {
namespace {

// About 300 bytes each, and their debug info; a large service has 20,000 of which samples hit a tenth.
constexpr size_t kMaxBlobs = 8192;
constexpr size_t kMaxNameLength = 128;
constexpr size_t kMaxNamePlaces = 4096;

}  // namespace

CodeBlob* CodeCache::Find(uint64_t pc) {
  auto after = by_address_.upper_bound(pc);
  if (after != by_address_.begin()) {
    CodeBlob& known = *std::prev(after)->second;
    if (known.Holds(pc) && Use(known)) return &known;
  }
  std::optional<uint64_t> address = heaps_.FindBlob(memory_, pc);
  if (!address) return nullptr;
  CodeBlob* blob = Read(*address);
  if (blob == nullptr || !blob->Holds(pc)) return nullptr;
  Use(*blob);
  return blob;
}

CodeBlob* CodeCache::Read(uint64_t address) {
  std::array<uint8_t, 1024> buffer;
  std::span header = std::span(buffer).first(BlobHeaderBytes(layout_));
  if (!memory_.Read(address, header)) return nullptr;
  const std::string* name = NameAt(UnsignedAt(header, layout_.code_blob_name, 8));
  if (name == nullptr) return nullptr;
  std::optional<CodeBlob> blob = ParseBlob(layout_, header, address, *name);
  if (!blob) return nullptr;
  if (blob->kind != BlobKind::kCompiled) blob->name = names_.IdOf(*name);
  // A block that was split or joined lies across those it was made of; a full cache begins anew.
  bool is_full = by_address_.size() >= kMaxBlobs;
  auto first = is_full ? by_address_.begin() : by_address_.lower_bound(address);
  auto last = is_full ? by_address_.end() : by_address_.lower_bound(blob->code_end);
  while (first != last) Drop(*(first++)->second);
  return Add(*blob);
}

CodeBlob* CodeCache::Add(CodeBlob blob) {
  blob.serial = ++last_serial_;
  blob.confirmed_in = period_;
  if (free_.empty()) free_.push_back(&blobs_.emplace_back());
  CodeBlob* place = free_.back();
  free_.pop_back();
  *place = blob;
  by_address_.emplace(blob.address, place);
  return place;
}

const std::string* CodeCache::NameAt(uint64_t address) {
  auto known = name_at_.find(address);
  if (known != name_at_.end()) return &known->second;
  std::array<uint8_t, kMaxNameLength> bytes;
  size_t got = memory_.ReadSome(address, bytes);
  auto end = std::find(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(got), 0);
  if (end == bytes.begin()) return nullptr;
  if (name_at_.size() >= kMaxNamePlaces) name_at_.clear();
  return &name_at_.emplace(address, std::string(bytes.begin(), end)).first->second;
}

bool CodeCache::Use(CodeBlob& blob) {
  if (is_careful_ && !IsFresh(blob)) {
    std::vector<uint64_t> places;
    PlacesOf(blob, places);
    std::array<uint64_t, kConfirmingWords> now;
    memory_.Gather(places, now);
    if (!IsConfirmed(blob, now)) {
      Drop(blob);
      return false;
    }
    blob.confirmed_in = period_;
  }
  if (std::exchange(blob.used_in, period_) != period_ && blob.kind == BlobKind::kCompiled)
    used_.push_back(&blob);
  return true;
}

// What is dropped stays as it is until the next Settle, for callers may hold it.
void CodeCache::Drop(CodeBlob& blob) {
  if (blob.used_in == period_) replaced_.push_back(blob.serial);
  by_address_.erase(blob.address);
  blob.serial = 0;
  dropped_.push_back(&blob);
}

void CodeCache::ListUsed(std::vector<uint64_t>& places) {
  std::erase_if(used_, [](const CodeBlob* blob) { return blob->serial == 0; });
  for (const CodeBlob* blob : used_) PlacesOf(*blob, places);
}

// A block that is freed keeps its bytes. One that is used again begins elsewhere mostly, for what is
// allocated is cut from the end of a free block: then only the flag in the block's header tells, in the
// middle of which it is.
void CodeCache::PlacesOf(const CodeBlob& blob, std::vector<uint64_t>& places) const {
  places.push_back(blob.address + static_cast<uint64_t>(layout_.nmethod_compile_id));
  places.push_back(blob.address - static_cast<uint64_t>(layout_.heap_block_size) / 2);
}

bool CodeCache::IsConfirmed(const CodeBlob& blob, std::span<const uint64_t> now) {
  return static_cast<uint32_t>(now[0]) == blob.compile_id && (now[1] & 0xff) == 1;
}

// Each compilation has an id of its own. One that cannot be read, or is zero, tells nothing: the process has
// ended.
void CodeCache::Settle(std::span<const uint64_t> now, ReplacedCode& replaced) {
  for (size_t i = 0; i < used_.size(); i++) {
    std::span words = now.subspan(i * kConfirmingWords, kConfirmingWords);
    if (IsConfirmed(*used_[i], words))
      used_[i]->confirmed_in = period_ + 1;
    else if (static_cast<uint32_t>(words[0]) != 0)
      Drop(*used_[i]);
  }
  replaced.blobs.insert(replaced_.begin(), replaced_.end());
  replaced_.clear();
  used_.clear();
  free_.insert(free_.end(), dropped_.begin(), dropped_.end());
  dropped_.clear();
  period_++;
}

}  // namespace flamegate
