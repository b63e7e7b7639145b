#include "scope_decoder.h"

#include <algorithm>
#include <utility>

#include "bytes.h"
#include "frame_word.h"
#include "unsigned5.h"

namespace flamegate {
namespace {

// Of one nmethod; the largest seen have a tenth of it. Without it the compiled method is named, without a
// place.
constexpr uint64_t kMaxDebugBytes = 1 << 20;
// Of all nmethods of a process. An instruction is decoded once; what is decoded again soon is its neighbour.
constexpr size_t kMaxHeldBytes = 256 << 10;
constexpr uint32_t kMaxMetadata = 16'384;
constexpr uint32_t kUsualMetadata = 32;
constexpr uint64_t kClosingPcDescs = 2;
// -XX:MaxInlineLevel is 15; a hundred covers those who raised it.
constexpr int kMaxInlineDepth = 100;

void ReadRange(ForeignMemory& memory, uint64_t begin, uint64_t end, std::vector<uint8_t>& into) {
  if (begin == 0 || end <= begin || end - begin > kMaxDebugBytes) return;
  into.resize(end - begin);
  if (!memory.Read(begin, into)) into.clear();
}

}  // namespace

void ScopeDecoder::Append(const CodeBlob& blob, uint64_t pc, std::vector<uint64_t>& frames) {
  DebugInfo& info = InfoOf(blob);
  Place place = PlaceOf(info, pc - blob.code_begin);
  uint64_t flags = place.is_exact || info.covers_all ? 0 : uint64_t{kSafepointPlace};
  size_t first = frames.size();
  // A sender's scope lies before its callee's: so this ends.
  uint32_t scope = place.scope;
  for (int depth = 0; scope != 0 && depth < kMaxInlineDepth; depth++) {
    Unsigned5Reader reader(info.scopes, scope, static_cast<uint32_t>(layout_.unsigned5_excluded));
    uint32_t sender = reader.Next();
    uint32_t method = reader.Next();
    uint32_t bci = reader.Next() - 1;  // -1 before the first bytecode
    if (reader.Failed()) break;
    frames.push_back(
        JavaFrame(MethodIdAt(blob, info, method), bci < kUnknownBci ? bci : kUnknownBci, flags | kInlined));
    scope = sender < scope ? sender : 0;
  }
  if (frames.size() == first) {
    bool is_certain = place.is_exact || blob.is_native_wrapper;
    frames.push_back(
        JavaFrame(methods_.IdOf(blob.method), kUnknownBci, is_certain ? 0 : uint64_t{kSafepointPlace}));
  } else {
    frames.back() &= ~(uint64_t{kInlined} << 52);
  }
}

ScopeDecoder::Slots ScopeDecoder::SlotsAt(const CodeBlob& blob, uint64_t pc, uint32_t depth) {
  const DebugInfo& info = InfoOf(blob);
  auto excluded = static_cast<uint32_t>(layout_.unsigned5_excluded);
  Slots slots;
  uint32_t scope = PlaceOf(info, pc - blob.code_begin).scope;
  for (uint32_t i = 0; scope != 0 && i <= depth; i++) {
    Unsigned5Reader reader(info.scopes, scope, excluded);
    uint32_t sender = reader.Next();
    reader.Next();  // the method
    reader.Next();  // its bytecode
    AppendLocals(info.scopes, reader.Next(), excluded, i == depth ? slots.own : slots.inner);
    scope = sender < scope ? sender : 0;
  }
  return slots;
}

size_t ScopeDecoder::DebugInfo::Bytes() const {
  return sizeof(*this) + pc_descs.capacity() + scopes.capacity();
}

ScopeDecoder::DebugInfo& ScopeDecoder::InfoOf(const CodeBlob& blob) {
  auto known = infos_.find(blob.serial);
  if (known != infos_.end()) return known->second;
  DebugInfo read;
  ReadRange(memory_, blob.pc_descs, blob.pc_descs_end, read.pc_descs);
  ReadRange(memory_, blob.scopes, blob.scopes_end, read.scopes);
  read.covers_all = CoversAll(blob, read);
  held_bytes_ += read.Bytes();
  while (held_bytes_ > kMaxHeldBytes && !oldest_first_.empty()) {
    auto oldest = infos_.find(oldest_first_.front());
    oldest_first_.pop_front();
    held_bytes_ -= oldest->second.Bytes();
    infos_.erase(oldest);
  }
  oldest_first_.push_back(blob.serial);
  return infos_.emplace(blob.serial, std::move(read)).first->second;
}

// Each safepoint has a PcDesc and an oop map, and the array of PcDescs is closed by one at both ends;
// whatever is more lies between safepoints (hotspot/share/code/debugInfoRec.cpp, add_safepoint and
// add_non_safepoint).
bool ScopeDecoder::CoversAll(const CodeBlob& blob, const DebugInfo& info) {
  if (layout_.code_blob_oop_maps < 0 || layout_.immutable_oop_map_set_count < 0) return false;
  uint64_t safepoints = 0;
  if (blob.oop_maps != 0) {
    auto place = blob.oop_maps + static_cast<uint64_t>(layout_.immutable_oop_map_set_count);
    std::optional<uint32_t> count = memory_.Get<uint32_t>(place);
    if (!count) return false;
    safepoints = *count;
  }
  return info.pc_descs.size() / static_cast<size_t>(layout_.pc_desc_size) > safepoints + kClosingPcDescs;
}

// PcDescs ascend by offset. The first at or behind the instruction counts, as in HotSpot itself; the array is
// closed by one without a scope.
ScopeDecoder::Place ScopeDecoder::PlaceOf(const DebugInfo& info, uint64_t offset) const {
  std::span<const uint8_t> bytes = info.pc_descs;
  auto stride = static_cast<size_t>(layout_.pc_desc_size);
  auto offset_of = [&](size_t index) {
    return SignedAt(bytes.subspan(index * stride, stride), layout_.pc_desc_pc_offset, 4);
  };
  size_t first = 0;
  size_t count = bytes.size() / stride;
  size_t end = count;
  while (first < end) {
    size_t middle = (first + end) / 2;
    if (offset_of(middle) < static_cast<int64_t>(offset))
      first = middle + 1;
    else
      end = middle;
  }
  if (first == count) return {};
  int64_t scope = SignedAt(bytes.subspan(first * stride, stride), layout_.pc_desc_scope_decode_offset, 4);
  if (scope <= 0) return {};
  return {static_cast<uint32_t>(scope), offset_of(first) == static_cast<int64_t>(offset)};
}

// The index counts from 1; 0 is none.
uint32_t ScopeDecoder::MethodIdAt(const CodeBlob& blob, DebugInfo& info, uint32_t index) {
  if (index == 0 || index > kMaxMetadata || blob.metadata == 0) return kUnknownMethod;
  std::vector<uint64_t>& known = info.metadata;
  if (index > known.size()) {
    known.resize(std::max((index + 1) / 2 * 3, kUsualMetadata));  // whoever needs one needs its neighbours
    std::span bytes(reinterpret_cast<uint8_t*>(known.data()), known.size() * sizeof(uint64_t));
    known.resize(memory_.ReadSome(blob.metadata, bytes) / sizeof(uint64_t));
    info.method_ids.resize(known.size(), kUnknownMethod);
  }
  if (index > known.size()) return kUnknownMethod;
  uint32_t& id = info.method_ids[index - 1];
  if (id == kUnknownMethod) id = methods_.IdOf(known[index - 1]);
  return id;
}

}  // namespace flamegate
