#include "scope_decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bytes.h"
#include "frame_word.h"
#include "unsigned5.h"

namespace flamegate {
namespace {

// Of one nmethod; the largest seen have a tenth of it. Without it the compiled method is named, without a
// place.
constexpr uint64_t kMaxDebugBytes = 1 << 20;
constexpr size_t kMaxScopes = 64 << 10;
constexpr uint32_t kMaxMetadata = 16'384;
constexpr uint32_t kUsualMetadata = 32;
constexpr uint64_t kClosingPcDescs = 2;
// -XX:MaxInlineLevel is 15; a hundred covers those who raised it.
constexpr int kMaxInlineDepth = 100;

size_t RangeLength(uint64_t begin, uint64_t end) {
  return begin == 0 || end <= begin || end - begin > kMaxDebugBytes ? 0 : end - begin;
}

std::span<uint8_t> BytesOf(std::vector<uint64_t>& words) {
  return {reinterpret_cast<uint8_t*>(words.data()), words.size() * sizeof(uint64_t)};
}

}  // namespace

void ScopeDecoder::Append(const CodeBlob& blob, uint64_t pc, std::vector<uint64_t>& frames) {
  DebugInfo& info = InfoOf(blob);
  Place place = PlaceOf(info, pc - blob.code_begin);
  uint64_t flags = place.is_exact || info.covers_all ? 0 : uint64_t{kSafepointPlace};
  size_t first = frames.size();
  // A sender's scope lies before its callee's: so this ends.
  const Scope* scope = info.ScopeAt(place.scope);
  for (int depth = 0; scope != nullptr && depth < kMaxInlineDepth; depth++) {
    frames.push_back(JavaFrame(MethodIdAt(blob, info, scope->method), scope->bci, flags | kInlined));
    scope = info.ScopeAt(scope->sender);
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
  auto excluded = static_cast<uint32_t>(layout_.unsigned5_excluded);
  Slots slots;
  uint32_t scope = PlaceOf(InfoOf(blob), pc - blob.code_begin).scope;
  if (raw_of_ != blob.serial) {
    raw_scopes_.resize(RangeLength(blob.scopes, blob.scopes_end));
    raw_scopes_.resize(memory_.ReadSome(blob.scopes, raw_scopes_));
    raw_of_ = blob.serial;
  }
  for (uint32_t i = 0; scope != 0 && i <= depth; i++) {
    Unsigned5Reader reader(raw_scopes_, scope, excluded);
    uint32_t sender = reader.Next();
    reader.Next();  // the method
    reader.Next();  // its bytecode
    AppendLocals(raw_scopes_, reader.Next(), excluded, i == depth ? slots.own : slots.inner);
    scope = sender < scope ? sender : 0;
  }
  return slots;
}

void ScopeDecoder::Forget() {
  infos_.clear();
  oldest_first_.clear();
  held_bytes_ = 0;
}

size_t ScopeDecoder::DebugInfo::Bytes() const {
  return sizeof(*this) + descs.capacity() * sizeof(Desc) + scopes.capacity() * sizeof(Scope) +
         metadata.capacity() * (sizeof(uint64_t) + sizeof(uint32_t));
}

void ScopeDecoder::Count(DebugInfo& info) {
  held_bytes_ += info.Bytes() - info.counted_bytes;
  info.counted_bytes = info.Bytes();
}

const ScopeDecoder::Scope* ScopeDecoder::DebugInfo::ScopeAt(uint32_t offset) const {
  if (offset == 0) return nullptr;
  auto found = std::lower_bound(scopes.begin(), scopes.end(), offset,
                                [](const Scope& scope, uint32_t wanted) { return scope.offset < wanted; });
  return found != scopes.end() && found->offset == offset ? &*found : nullptr;
}

ScopeDecoder::DebugInfo& ScopeDecoder::InfoOf(const CodeBlob& blob) {
  auto known = infos_.find(blob.serial);
  if (known != infos_.end()) return known->second;
  DebugInfo read = Read(blob);
  Count(read);
  while (held_bytes_ > most_bytes_ && !oldest_first_.empty()) {
    auto oldest = infos_.find(oldest_first_.front());
    oldest_first_.pop_front();
    held_bytes_ -= oldest->second.counted_bytes;
    infos_.erase(oldest);
  }
  oldest_first_.push_back(blob.serial);
  return infos_.emplace(blob.serial, std::move(read)).first->second;
}

// Two thirds of debug info say where values are: they are kept of one blob only.
ScopeDecoder::DebugInfo ScopeDecoder::Read(const CodeBlob& blob) {
  std::vector<uint8_t> descs(RangeLength(blob.pc_descs, blob.pc_descs_end));
  raw_of_ = 0;
  raw_scopes_ = std::vector<uint8_t>(RangeLength(blob.scopes, blob.scopes_end));
  DebugInfo info;
  info.metadata.resize(blob.metadata == 0 ? 0 : kUsualMetadata);
  std::array<uint8_t, sizeof(uint32_t)> safepoints = {};
  bool tells_safepoints = layout_.code_blob_oop_maps >= 0 && layout_.immutable_oop_map_set_count >= 0;
  std::span counted =
      std::span(safepoints).first(tells_safepoints && blob.oop_maps != 0 ? safepoints.size() : 0);
  ForeignMemory::Piece pieces[] = {
      {blob.pc_descs, descs},
      {blob.scopes, raw_scopes_},
      {blob.metadata, BytesOf(info.metadata)},
      {blob.oop_maps + static_cast<uint64_t>(layout_.immutable_oop_map_set_count), counted}};
  memory_.ReadPieces(pieces);
  info.metadata.resize(pieces[2].got / sizeof(uint64_t));
  info.method_ids.resize(info.metadata.size(), kUnknownMethod);
  if (pieces[0].got < descs.size() || pieces[1].got < raw_scopes_.size()) return info;
  raw_of_ = blob.serial;

  auto stride = static_cast<size_t>(layout_.pc_desc_size);
  for (size_t at = 0; at + stride <= descs.size(); at += stride) {
    std::span desc = std::span(descs).subspan(at, stride);
    info.descs.push_back({static_cast<int32_t>(SignedAt(desc, layout_.pc_desc_pc_offset, 4)),
                          static_cast<int32_t>(SignedAt(desc, layout_.pc_desc_scope_decode_offset, 4))});
  }
  info.descs.shrink_to_fit();
  // Each safepoint has a PcDesc and an oop map, and the array of PcDescs is closed by one at both ends;
  // whatever is more lies between safepoints (hotspot/share/code/debugInfoRec.cpp, add_safepoint and
  // add_non_safepoint).
  info.covers_all = tells_safepoints && pieces[3].got == counted.size() &&
                    info.descs.size() > UnsignedAt(safepoints, 0, 4) + kClosingPcDescs;
  std::vector<uint32_t> wanted;
  for (const Desc& desc : info.descs) {
    if (desc.scope > 0) wanted.push_back(static_cast<uint32_t>(desc.scope));
  }
  AddScopes(raw_scopes_, std::move(wanted), info);
  return info;
}

// From the callees to their senders, which lie before them: each is read once.
void ScopeDecoder::AddScopes(std::span<const uint8_t> bytes, std::vector<uint32_t> wanted, DebugInfo& info) {
  std::make_heap(wanted.begin(), wanted.end());
  uint32_t last = 0;
  while (!wanted.empty() && info.scopes.size() < kMaxScopes) {
    std::pop_heap(wanted.begin(), wanted.end());
    uint32_t offset = wanted.back();
    wanted.pop_back();
    if (offset == last) continue;
    last = offset;
    Unsigned5Reader reader(bytes, offset, static_cast<uint32_t>(layout_.unsigned5_excluded));
    uint32_t sender = reader.Next();
    uint32_t method = reader.Next();
    uint32_t bci = reader.Next() - 1;  // -1 before the first bytecode
    if (reader.Failed()) continue;
    auto place = static_cast<uint16_t>(std::min(bci, static_cast<uint32_t>(kUnknownBci)));
    auto index = static_cast<uint16_t>(method <= kMaxMetadata ? method : 0);
    info.scopes.push_back({offset, sender < offset ? sender : 0, index, place});
    if (sender == 0 || sender >= offset) continue;
    wanted.push_back(sender);
    std::push_heap(wanted.begin(), wanted.end());
  }
  if (!wanted.empty()) {
    info.scopes.clear();
    info.descs.clear();
  }
  std::reverse(info.scopes.begin(), info.scopes.end());
  info.scopes.shrink_to_fit();
}

// PcDescs ascend by offset. The first at or behind the instruction counts, as in HotSpot itself; the array is
// closed by one without a scope.
ScopeDecoder::Place ScopeDecoder::PlaceOf(const DebugInfo& info, uint64_t offset) const {
  auto wanted = static_cast<int64_t>(offset);
  auto desc = std::lower_bound(info.descs.begin(), info.descs.end(), wanted,
                               [](const Desc& each, int64_t value) { return each.pc_offset < value; });
  if (desc == info.descs.end() || desc->scope <= 0) return {};
  return {static_cast<uint32_t>(desc->scope), desc->pc_offset == wanted};
}

// The index counts from 1; 0 is none.
uint32_t ScopeDecoder::MethodIdAt(const CodeBlob& blob, DebugInfo& info, uint32_t index) {
  if (index == 0 || blob.metadata == 0) return kUnknownMethod;
  std::vector<uint64_t>& known = info.metadata;
  if (index > known.size()) {
    known.resize((index + 1) / 2 * 3);  // whoever needs one needs its neighbours
    known.resize(memory_.ReadSome(blob.metadata, BytesOf(known)) / sizeof(uint64_t));
    info.method_ids.resize(known.size(), kUnknownMethod);
    Count(info);
  }
  if (index > known.size()) return kUnknownMethod;
  uint32_t& id = info.method_ids[index - 1];
  if (id == kUnknownMethod) id = methods_.IdOf(known[index - 1]);
  return id;
}

}  // namespace flamegate
