#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace flamegate {

/// Reads HotSpot's UNSIGNED5 numbers one after the other: up to five base-192 digits, the lowest first, of
/// which all but the last are, as bytes, 192 and more. `excluded` is 1 where zero bytes are never written,
/// else 0. Beyond the end of the bytes everything is zero, and Failed() says so.
class Unsigned5Reader {
 public:
  Unsigned5Reader(std::span<const uint8_t> bytes, size_t at, uint32_t excluded)
      : bytes_(bytes), at_(at), excluded_(excluded) {}

  uint32_t Next() {
    uint32_t value = 0;
    for (int digit = 0; digit < kMaxDigits; digit++) {
      if (at_ >= bytes_.size() || bytes_[at_] < excluded_) {
        failed_ = true;
        return 0;
      }
      uint32_t byte = bytes_[at_++];
      value += (byte - excluded_) << (6 * digit);
      if (byte < kLastBelow) break;
    }
    return value;
  }
  bool Failed() const { return failed_; }
  size_t Position() const { return at_; }

 private:
  static constexpr int kMaxDigits = 5;  // of 6 bits and more: all of a 32-bit number
  static constexpr uint32_t kLastBelow = 192;

  std::span<const uint8_t> bytes_;
  size_t at_;
  uint32_t excluded_;
  bool failed_ = false;
};

}  // namespace flamegate
