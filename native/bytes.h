#pragma once
#include <cstdint>
#include <cstring>
#include <span>

namespace flamegate {

/// An integer at an offset of bytes somebody else wrote; `width` is 1, 2, 4 or 8. Zero where the bytes end
/// before it, for which callers allow as for any other nonsense.
inline uint64_t UnsignedAt(std::span<const uint8_t> bytes, int64_t offset, int64_t width) {
  uint64_t value = 0;
  if (offset < 0 || width < 1 || width > 8) return 0;
  if (static_cast<uint64_t>(offset) + static_cast<uint64_t>(width) > bytes.size()) return 0;
  memcpy(&value, bytes.data() + offset, static_cast<size_t>(width));
  return value;
}

inline int64_t SignedAt(std::span<const uint8_t> bytes, int64_t offset, int64_t width) {
  if (width < 1 || width > 8) return 0;
  int unused = static_cast<int>(64 - 8 * width);
  return static_cast<int64_t>(UnsignedAt(bytes, offset, width) << unused) >> unused;
}

}  // namespace flamegate
