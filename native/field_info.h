#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace flamegate {

/// A field that objects of a class have.
struct FieldInfo {
  uint32_t name_index;  ///< in the constant pool of the class
  uint32_t offset;
};

/// Of InstanceKlass::_fields, six numbers of two bytes each (up to JDK 20). Static fields are left out.
std::vector<FieldInfo> ParseFieldSlots(std::span<const uint8_t> slots, uint32_t count);

/// Of InstanceKlass::_fieldinfo_stream (from JDK 21 on). What the JVM injected is left out, as its names are
/// in no pool.
std::vector<FieldInfo> ParseFieldStream(std::span<const uint8_t> stream, uint32_t excluded);

}  // namespace flamegate
