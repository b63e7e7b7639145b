#include "name_table.h"

namespace flamegate {
namespace {

// A JVM has a few hundred named stubs.
constexpr size_t kMaxNames = 4096;

}  // namespace

uint32_t NameTable::IdOf(const std::string& text) {
  auto known = ids_.find(text);
  if (known != ids_.end()) return known->second;
  if (ids_.size() == kMaxNames) return 0;
  auto id = static_cast<uint32_t>(ids_.size() + 1);
  ids_.emplace(text, id);
  new_names_.push_back({id, text});
  return id;
}

}  // namespace flamegate
