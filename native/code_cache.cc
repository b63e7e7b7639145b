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
  auto after = blobs_.upper_bound(pc);
  if (after != blobs_.begin()) {
    CodeBlob& known = std::prev(after)->second;
    if (known.Holds(pc) && Use(known)) return &known;
  }
  std::optional<uint64_t> address = heaps_.FindBlob(memory_, pc);
  if (!address) return nullptr;
  CodeBlob* blob = Read(*address);
  if (blob == nullptr || !blob->Holds(pc)) return nullptr;
  blob->is_used = true;
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
  bool is_full = blobs_.size() >= kMaxBlobs;
  auto first = is_full ? blobs_.begin() : blobs_.lower_bound(address);
  auto last = is_full ? blobs_.end() : blobs_.lower_bound(blob->code_end);
  while (first != last) Drop(first++);
  blob->serial = ++last_serial_;
  return &blobs_.emplace(address, std::move(*blob)).first->second;
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
  blob.is_used = true;
  if (blob.is_fresh || blob.kind != BlobKind::kCompiled) return true;
  std::vector<uint64_t> places;
  PlacesOf(blob, places);
  std::array<uint64_t, kConfirmingWords> now;
  memory_.Gather(places, now);
  blob.is_fresh = IsConfirmed(blob, now);
  if (!blob.is_fresh) {
    blob.is_used = false;
    Drop(blobs_.find(blob.address));
  }
  return blob.is_fresh;
}

// What is dropped stays until the next Settle, for callers may hold it.
void CodeCache::Drop(std::map<uint64_t, CodeBlob>::iterator blob) {
  generation_++;
  dropped_.push_back(blobs_.extract(blob));
}

void CodeCache::ListUsed(std::vector<uint64_t>& places) {
  listed_.clear();
  for (auto& [address, blob] : blobs_) {
    blob.is_fresh = false;
    if (!std::exchange(blob.is_used, false) || blob.kind != BlobKind::kCompiled) continue;
    listed_.push_back(address);
    PlacesOf(blob, places);
  }
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
  for (const auto& node : dropped_) {
    if (node.mapped().is_used) replaced.blobs.insert(node.mapped().serial);
  }
  dropped_.clear();
  for (size_t i = 0; i < listed_.size(); i++) {
    auto blob = blobs_.find(listed_[i]);
    std::span words = now.subspan(i * kConfirmingWords, kConfirmingWords);
    blob->second.is_fresh = IsConfirmed(blob->second, words);
    if (blob->second.is_fresh || static_cast<uint32_t>(words[0]) == 0) continue;
    replaced.blobs.insert(blob->second.serial);
    blobs_.erase(blob);
    generation_++;
  }
}

}  // namespace flamegate
