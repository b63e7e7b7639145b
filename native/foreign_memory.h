#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace flamegate {

/// The memory of another process, which may end, unmap or overwrite it at any time: every read may fail, and
/// what was read may be nonsense. Reads only.
class ForeignMemory {
 public:
  explicit ForeignMemory(pid_t pid) : pid_(pid) {}

  /// All of it or false.
  bool Read(uint64_t address, std::span<uint8_t> into);
  template <typename Value>
  std::optional<Value> Get(uint64_t address) {
    Value value;
    if (!Read(address, {reinterpret_cast<uint8_t*>(&value), sizeof(value)})) return std::nullopt;
    return value;
  }
  /// What can be had of it, up to the first page that is not there.
  size_t ReadSome(uint64_t address, std::span<uint8_t> into);
  struct Piece {
    uint64_t address;
    std::span<uint8_t> into;
    size_t got = 0;
  };
  /// What can be had of each piece, up to its first page that is not there, in as few calls as can be.
  void ReadPieces(std::span<Piece> pieces);
  /// As many bytes of each address as `into` has room for, in as few calls as can be; zeros where they are
  /// not all there.
  void Gather(std::span<const uint64_t> addresses, std::span<uint8_t> into);
  /// One word of each.
  void Gather(std::span<const uint64_t> addresses, std::span<uint64_t> into) {
    Gather(addresses, {reinterpret_cast<uint8_t*>(into.data()), into.size_bytes()});
  }

  uint64_t Reads() const { return reads_; }
  uint64_t Failures() const { return failures_; }

 private:
  pid_t pid_;
  uint64_t reads_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace flamegate
