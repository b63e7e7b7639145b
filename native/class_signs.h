#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "hotspot_layout.h"

namespace flamegate {

/// By what a class is known again. One that is unloaded leaves its place to the next, and if that is of the
/// same shape, all that belongs to it lies where the other's did: only its name tells.
struct ClassSigns {
  uint64_t klass = 0;
  uint64_t name = 0;  ///< its Symbol
  uint64_t name_head = 0;
};
constexpr size_t kClassSigns = 2;

/// Of a Symbol's first word, what stays while it is used: a random number, its length and its first two
/// bytes. A count of its users comes before (hotspot/share/oops/symbol.hpp).
constexpr uint64_t SymbolHead(uint64_t first_word) {
  return first_word >> 16;
}

/// Appends the addresses of a class's signs.
inline void AppendPlaces(const ClassSigns& signs, const HotspotLayout& layout,
                         std::vector<uint64_t>& places) {
  places.push_back(signs.klass + static_cast<uint64_t>(layout.klass_name));
  places.push_back(signs.name);
}

/// Whether a word is as it was, or, 0, could not be read, which tells nothing.
constexpr bool MayStillBe(uint64_t word, uint64_t then) {
  return word == 0 || word == then;
}

/// Whether the words at these places may still be that class's.
inline bool MayStillBe(std::span<const uint64_t, kClassSigns> now, const ClassSigns& signs) {
  return MayStillBe(now[0], signs.name) && MayStillBe(SymbolHead(now[1]), signs.name_head);
}

}  // namespace flamegate
