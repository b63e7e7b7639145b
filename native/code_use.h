#pragma once
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace flamegate {

/// What a frame was read from by memory of ours that may have been out of date: to be confirmed before the
/// stack is counted.
struct CodeUse {
  uint32_t serial;
  uint16_t frame;  ///< how many frames of its stack come before
  bool is_method;  ///< `serial` is a method's number, else a blob's
};

/// What was not the same any more when it was looked at.
struct ReplacedCode {
  std::unordered_set<uint32_t> blobs;
  std::unordered_set<uint32_t> methods;

  bool IsEmpty() const { return blobs.empty() && methods.empty(); }
  bool Holds(const CodeUse& use) const { return (use.is_method ? methods : blobs).contains(use.serial); }
};

}  // namespace flamegate
