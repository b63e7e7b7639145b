#include "java_heap.h"

#include "bytes.h"

namespace flamegate {
namespace {

constexpr uint64_t kAlignment = 8;  // of objects
constexpr size_t kLongestHeader = 16;
constexpr uint32_t kMarkBytes = 8;
constexpr uint32_t kLengthBytes = 4;
// The lowest bits of a mark word: a collector has copied the object, and the rest is where to.
constexpr uint64_t kLockBits = 3;
constexpr uint64_t kForwarded = 3;

}  // namespace

std::optional<JavaObject> JavaHeap::Read(uint64_t address) {
  if (address == 0 || address % kAlignment != 0) return std::nullopt;
  JavaObject object;
  object.address = address;
  object.size = memory_.ReadSome(address, object.bytes);
  if (object.size < kLongestHeader) return std::nullopt;
  return object;
}

uint64_t JavaHeap::ClassOf(const JavaObject& object) const {
  std::span bytes = std::span(object.bytes).first(object.size);
  auto widened = [this](uint64_t narrow) {
    return static_cast<uint64_t>(layout_.narrow_klass_base) + (narrow << layout_.narrow_klass_shift);
  };
  if (layout_.mark_klass_shift != -1) {
    uint64_t mark = UnsignedAt(bytes, 0, 8);
    return (mark & kLockBits) == kForwarded ? 0 : widened(mark >> layout_.mark_klass_shift);
  }
  if (layout_.narrow_klass_base == -1) return UnsignedAt(bytes, layout_.object_klass, 8);
  return widened(UnsignedAt(bytes, layout_.object_klass, 4));
}

uint64_t JavaHeap::Reference(const JavaObject& object, uint32_t offset) {
  if (layout_.narrow_oop_base == -1) return Field(object, offset, 8);
  return Widened(static_cast<uint32_t>(Field(object, offset, 4)));
}

uint32_t JavaHeap::Int(const JavaObject& object, uint32_t offset) {
  return static_cast<uint32_t>(Field(object, offset, 4));
}

// Behind the class word, or the mark that has the class in it: a length of four bytes, then the elements.
// With whole class words narrow elements begin elsewhere in each release.
std::optional<std::vector<uint64_t>> JavaHeap::References(const JavaObject& array, uint32_t count) {
  bool is_narrow = layout_.narrow_oop_base != -1;
  bool has_whole_klass = layout_.narrow_klass_base == -1;
  if (has_whole_klass && is_narrow) return std::nullopt;
  uint32_t length_at = kMarkBytes;
  if (layout_.mark_klass_shift == -1)
    length_at = static_cast<uint32_t>(layout_.object_klass) + (has_whole_klass ? 8 : 4);
  uint32_t width = is_narrow ? 4 : 8;
  uint32_t begin = (length_at + kLengthBytes + width - 1) / width * width;
  if (count > Int(array, length_at)) return std::nullopt;
  std::vector<uint8_t> bytes(size_t{count} * width);
  if (!bytes.empty() && !memory_.Read(array.address + begin, bytes)) return std::nullopt;
  std::vector<uint64_t> references;
  for (size_t at = 0; at < bytes.size(); at += width) {
    uint64_t word = UnsignedAt(bytes, static_cast<int64_t>(at), width);
    references.push_back(is_narrow ? Widened(static_cast<uint32_t>(word)) : word);
  }
  return references;
}

uint64_t JavaHeap::Widened(uint32_t narrow) const {
  if (narrow == 0 || layout_.narrow_oop_base == -1) return 0;
  return static_cast<uint64_t>(layout_.narrow_oop_base) + (uint64_t{narrow} << layout_.narrow_oop_shift);
}

uint64_t JavaHeap::Field(const JavaObject& object, uint32_t offset, size_t width) {
  auto place = static_cast<int64_t>(offset);
  auto bytes = static_cast<int64_t>(width);
  if (offset + width <= object.size) return UnsignedAt(object.bytes, place, bytes);
  std::array<uint8_t, 8> field = {};
  if (!memory_.Read(object.address + offset, std::span(field).first(width))) return 0;
  return UnsignedAt(field, 0, bytes);
}

}  // namespace flamegate
