#include "code_cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bytes.h"
#include "monotonic_clock.h"

namespace flamegate {
namespace {

// About 300 bytes each, and their debug info; a large service has 20,000 of which samples hit a tenth.
constexpr size_t kMaxBlobs = 8192;
constexpr size_t kMaxNameLength = 128;
constexpr size_t kMaxNamePlaces = 4096;
constexpr size_t kMostAtOnce = 512;  // of which a hundred bytes or two are read

}  // namespace

CodeBlob* CodeCache::Find(uint64_t pc) {
  auto after = by_address_.upper_bound(pc);
  if (after != by_address_.begin()) {
    CodeBlob& known = *std::prev(after)->second;
    if (known.Holds(pc)) {
      Use(known);
      return &known;
    }
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
  blob.met_ns = MonotonicNs();
  blob.confirmed_ns = blob.met_ns;
  blob.collections = stack_collections_;
  has_changed_ |= blob.compile_id > newest_;
  newest_ = std::max(newest_, blob.compile_id);
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

void CodeCache::BeginStack(uint64_t time_ns, std::optional<uint32_t> collections) {
  stack_ns_ = time_ns;
  stack_collections_ = collections;
  doubtful_.clear();
}

void CodeCache::Use(CodeBlob& blob) {
  if (std::exchange(blob.used_in, period_) != period_ && blob.kind == BlobKind::kCompiled)
    used_.push_back(&blob);
}

void CodeCache::Doubt(CodeBlob& blob) {
  if (is_careful_) doubtful_.push_back(&blob);
}

bool CodeCache::Confirm() {
  std::erase_if(doubtful_, [](const CodeBlob* blob) { return blob->serial == 0; });
  std::sort(doubtful_.begin(), doubtful_.end());
  doubtful_.erase(std::unique(doubtful_.begin(), doubtful_.end()), doubtful_.end());
  bool are_there = LookAt(doubtful_);
  doubtful_.clear();
  return are_there;
}

// A block that is freed keeps its bytes. One that is used again begins elsewhere mostly, for what is
// allocated is cut from the end of a free block: then only the flag in the block's header tells, in the
// middle of which it is. Each compilation has an id of its own; one that cannot be read tells nothing: the
// process has ended. Zeros that were read are the middle of something else.
bool CodeCache::LookAt(std::span<CodeBlob* const> blobs) {
  if (blobs.empty()) return true;
  uint64_t used_flag = static_cast<uint64_t>(layout_.heap_block_size) / 2;
  uint64_t compile_id = used_flag + static_cast<uint64_t>(layout_.nmethod_compile_id);
  size_t size = compile_id + sizeof(uint32_t);
  places_.clear();
  for (const CodeBlob* blob : blobs) places_.push_back(blob->address - used_flag);
  pieces_.resize(places_.size() * size);
  uint64_t time_ns = MonotonicNs();
  uint64_t failures = memory_.Failures();
  memory_.Gather(places_, std::span(pieces_));
  bool is_all_read = memory_.Failures() == failures;
  bool are_there = true;
  for (size_t i = 0; i < blobs.size(); i++) {
    std::span piece = std::span(pieces_).subspan(i * size, size);
    uint64_t id = UnsignedAt(piece, compile_id, sizeof(uint32_t));
    if (id == blobs[i]->compile_id && piece[0] == 1) {
      blobs[i]->confirmed_ns = time_ns;
      blobs[i]->collections = stack_collections_;
    } else if (id != 0 || is_all_read) {
      Drop(*blobs[i]);
      are_there = false;
    }
  }
  return are_there;
}

// What is dropped stays as it is until the next Settle, for callers may hold it.
void CodeCache::Drop(CodeBlob& blob) {
  if (blob.used_in == period_) replaced_.push_back(blob.serial);
  has_changed_ = true;
  by_address_.erase(blob.address);
  blob.serial = 0;
  dropped_.push_back(&blob);
}

void CodeCache::Settle(ReplacedCode& replaced) {
  std::erase_if(used_, [](const CodeBlob* blob) { return blob->serial == 0; });
  settled_ns_ = MonotonicNs();
  for (std::span rest = std::span(used_); !rest.empty();) {
    std::span some = rest.first(std::min(rest.size(), kMostAtOnce));
    LookAt(some);
    rest = rest.subspan(some.size());
  }
  replaced.blobs.insert(replaced_.begin(), replaced_.end());
  replaced_.clear();
  used_.clear();
  has_changed_ = false;
  free_.insert(free_.end(), dropped_.begin(), dropped_.end());
  dropped_.clear();
  period_++;
}

void CodeCache::ForgetUnused(uint32_t period) {
  std::erase_if(by_address_, [&](const auto& each) {
    CodeBlob& blob = *each.second;
    if (blob.used_in >= period) return false;
    blob.serial = 0;
    free_.push_back(&blob);
    return true;
  });
}

}  // namespace flamegate
