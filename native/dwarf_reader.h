#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "bytes.h"

namespace flamegate {

/// Reads what DWARF writes, forward. Beyond the end everything is zero, and Failed() says so.
class DwarfReader {
 public:
  /// `address` is where the bytes are in the process: encoded pointers count from there.
  DwarfReader(std::span<const uint8_t> bytes, uint64_t address) : bytes_(bytes), address_(address) {}

  bool AtEnd() const { return at_ >= bytes_.size(); }
  bool Failed() const { return failed_; }
  uint64_t Address() const { return address_ + at_; }
  std::span<const uint8_t> Rest() const { return bytes_.subspan(at_); }

  uint64_t Unsigned(size_t width) {
    uint64_t value = UnsignedAt(bytes_, static_cast<int64_t>(at_), static_cast<int64_t>(width));
    return Advance(width) ? value : 0;
  }
  int64_t Signed(size_t width) {
    int64_t value = SignedAt(bytes_, static_cast<int64_t>(at_), static_cast<int64_t>(width));
    return Advance(width) ? value : 0;
  }
  uint64_t Uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      auto byte = static_cast<uint8_t>(Unsigned(1));
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;  // a failed read is zero, so the end of the bytes ends this
    }
  }
  int64_t Sleb() {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
      auto byte = static_cast<uint8_t>(Unsigned(1));
      if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~uint64_t{0} << shift;
      return static_cast<int64_t>(value);
    }
  }
  std::span<const uint8_t> Take(size_t length) {
    std::span<const uint8_t> rest = Rest();
    return Advance(length) ? rest.first(length) : std::span<const uint8_t>();
  }

  /// A pointer of one of the encodings that compilers write into .eh_frame (DW_EH_PE_*); fails on others.
  uint64_t Pointer(uint8_t encoding) {
    uint64_t base = (encoding & kApplication) == kFromHere ? Address() : 0;
    if ((encoding & kApplication) > kFromHere || (encoding & kIndirect) != 0) failed_ = true;
    switch (encoding & kFormat) {
      case 0x00:
      case 0x04:
      case 0x0c:
        return base + Unsigned(8);
      case 0x02:
        return base + Unsigned(2);
      case 0x03:
        return base + Unsigned(4);
      case 0x0a:
        return base + static_cast<uint64_t>(Signed(2));
      case 0x0b:
        return base + static_cast<uint64_t>(Signed(4));
      default:
        failed_ = true;
        return 0;
    }
  }
  /// The length behind a pointer: in its format, but counting from nowhere.
  uint64_t PointerSized(uint8_t encoding) { return Pointer(encoding & kFormat & 0x07); }

 private:
  static constexpr uint8_t kFormat = 0x0f;
  static constexpr uint8_t kApplication = 0x70;
  static constexpr uint8_t kFromHere = 0x10;
  static constexpr uint8_t kIndirect = 0x80;

  bool Advance(size_t width) {
    if (bytes_.size() - at_ < width) {
      at_ = bytes_.size();
      failed_ = true;
      return false;
    }
    at_ += width;
    return true;
  }

  std::span<const uint8_t> bytes_;
  uint64_t address_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace flamegate
