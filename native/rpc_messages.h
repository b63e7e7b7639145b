#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace flamegate {

/// Whether one direction of a call of gRPC has more than one message: whether more bytes come than the first
/// message's head announces. The heads of others need not be seen.
class RpcMessages {
 public:
  /// What a DATA frame holds, of which `bytes` are the first.
  void Add(std::string_view bytes, uint64_t length) {
    if (head_.size() == seen_) head_.append(bytes.substr(0, std::min(length, kHeadBytes - head_.size())));
    seen_ += length;
  }
  bool AreMany() const { return head_.size() == kHeadBytes && seen_ > kHeadBytes + Announced(); }

 private:
  static constexpr uint64_t kHeadBytes = 5;  // whether it is compressed, and its length

  uint64_t Announced() const {
    uint64_t length = 0;
    for (char c : std::string_view(head_).substr(1)) length = length << 8 | static_cast<uint8_t>(c);
    return length;
  }

  std::string head_;
  uint64_t seen_ = 0;
};

}  // namespace flamegate
