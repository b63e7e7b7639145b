#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace flamegate {

/// A number that was given out for the first time, and what it stands for.
struct NewName {
  uint32_t id;
  std::string text;
};

/// Gives names of code blobs numbers, in order of first sight and up to a number of distinct ones.
class NameTable {
 public:
  /// 0 when the table is full.
  uint32_t IdOf(const std::string& text);
  /// Those given out since the last call.
  std::vector<NewName> TakeNew() { return std::exchange(new_names_, {}); }

 private:
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<NewName> new_names_;
};

}  // namespace flamegate
