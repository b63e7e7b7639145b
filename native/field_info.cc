#include "field_info.h"

#include <algorithm>

#include "bytes.h"
#include "unsigned5.h"

namespace flamegate {
namespace {

constexpr uint32_t kStatic = 0x0008;
constexpr uint32_t kMaxFields = 4096;  // generated classes with some hundreds are seen

// Access flags, name, signature, initial value, the lower and the upper half of the offset.
constexpr uint32_t kSlots = 6;
constexpr uint32_t kTagBits = 2;  // the lowest of the offset

// A field's own flags: numbers that follow, and fields that are the JVM's.
constexpr uint32_t kInitialized = 1 << 0;
constexpr uint32_t kInjected = 1 << 1;
constexpr uint32_t kGeneric = 1 << 2;
constexpr uint32_t kContended = 1 << 4;

}  // namespace

std::vector<FieldInfo> ParseFieldSlots(std::span<const uint8_t> slots, uint32_t count) {
  std::vector<FieldInfo> fields;
  auto whole = static_cast<uint32_t>(slots.size() / (2 * kSlots));
  for (uint32_t i = 0; i < std::min({count, whole, kMaxFields}); i++) {
    auto slot = [&](uint32_t column) {
      return static_cast<uint32_t>(UnsignedAt(slots, 2 * (kSlots * i + column), 2));
    };
    if ((slot(0) & kStatic) != 0) continue;
    fields.push_back({slot(1), (slot(5) << 16 | slot(4)) >> kTagBits});
  }
  return fields;
}

std::vector<FieldInfo> ParseFieldStream(std::span<const uint8_t> stream, uint32_t excluded) {
  std::vector<FieldInfo> fields;
  Unsigned5Reader reader(stream, 0, excluded);
  uint32_t declared = reader.Next();
  uint32_t injected = reader.Next();
  uint32_t count = std::min(declared + injected, kMaxFields);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t name = reader.Next();
    reader.Next();  // its signature
    uint32_t offset = reader.Next();
    uint32_t access = reader.Next();
    uint32_t flags = reader.Next();
    for (uint32_t bit : {kInitialized, kGeneric, kContended}) {
      if ((flags & bit) != 0) reader.Next();
    }
    if (reader.Failed()) break;
    if ((access & kStatic) == 0 && (flags & kInjected) == 0) fields.push_back({name, offset});
  }
  return fields;
}

}  // namespace flamegate
