#include "code_cache.h"

#include <algorithm>
#include <array>

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
    if (known.Holds(pc)) return &known;
  }
  std::optional<uint64_t> address = heaps_.FindBlob(memory_, pc);
  if (!address) return nullptr;
  CodeBlob* blob = Read(*address);
  return blob != nullptr && blob->Holds(pc) ? blob : nullptr;
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
  if (first != last) generation_++;
  while (first != last) Drop(first++);
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

bool CodeCache::Revalidate() {
  dropped_.clear();
  std::vector<const CodeBlob*> compiled;
  std::vector<uint64_t> places;
  for (const auto& [address, blob] : blobs_) {
    if (blob.kind != BlobKind::kCompiled) continue;
    compiled.push_back(&blob);
    places.push_back(address + static_cast<uint64_t>(layout_.nmethod_compile_id));
  }
  std::vector<uint64_t> ids(places.size());
  memory_.Gather(places, ids);
  size_t before = blobs_.size();
  for (size_t i = 0; i < compiled.size(); i++) {
    if (static_cast<uint32_t>(ids[i]) != compiled[i]->compile_id) blobs_.erase(compiled[i]->address);
  }
  if (blobs_.size() == before) return false;
  generation_++;
  return true;
}

}  // namespace flamegate
