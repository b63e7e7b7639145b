#include "scope_locals.h"

#include "hotspot_shape.h"
#include "unsigned5.h"

namespace flamegate {
namespace {

// Methods of more locals exist; resumeWith has eight, suspend functions some dozen.
constexpr uint32_t kMaxLocals = 256;

// What a local is described by (debugInfo.cpp): a code, then numbers.
enum Value : uint32_t { kLocation, kInt, kOop, kLong, kDouble, kObject, kObjectId, kAutoBox, kMarker };
// Of a location (location.hpp): four bits of type, one that it is in a register, the rest is where.
constexpr uint32_t kTypeMask = 0xf;
constexpr uint32_t kReference = 2;
constexpr uint32_t kNarrowReference = 9;
constexpr uint32_t kInRegister = 1 << 4;
constexpr uint32_t kOffsetShift = 5;
constexpr uint32_t kStackSlotBytes = 4;

}  // namespace

void AppendLocals(std::span<const uint8_t> scopes, uint32_t at, uint32_t excluded,
                  std::vector<OopSlot>& slots) {
  if (at == 0) return;
  Unsigned5Reader reader(scopes, at, excluded);
  uint32_t count = reader.Next();
  for (uint32_t i = 0; i < count && i < kMaxLocals; i++) {
    switch (reader.Next()) {
      case kLocation: {
        uint32_t location = reader.Next();
        uint32_t type = location & kTypeMask;
        uint32_t where = location >> kOffsetShift;
        bool is_in_register = (location & kInRegister) != 0;
        if (reader.Failed()) return;
        if (type != kReference && type != kNarrowReference) break;
        if (is_in_register && where != kFramePointerLocation) break;
        slots.push_back(
            {type == kNarrowReference, is_in_register, is_in_register ? 0 : where * kStackSlotBytes});
        break;
      }
      case kInt:
      case kOop:
      case kObjectId:
        reader.Next();
        break;
      case kLong:
      case kDouble:
        reader.Next();
        reader.Next();
        break;
      case kMarker:
        break;
      default:
        return;  // an object that is nowhere: what follows cannot be found
    }
  }
}

}  // namespace flamegate
