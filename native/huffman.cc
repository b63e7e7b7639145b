#include "huffman.h"

#include <array>
#include <cstdint>

namespace flamegate {
namespace {

constexpr int kSymbols = 257;
constexpr int kEndOfString = 256;
constexpr int kShortest = 5;
constexpr int kLongest = 30;

// RFC 7541, appendix B: bits of each byte's code, and at last of the end of the string. The code is
// canonical: codes of a length follow each other in the order of the bytes, and begin behind those that are
// shorter. So lengths are all of it.
constexpr std::array<uint8_t, kSymbols> kLengths = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,  5,  5,  5,  6,
    6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,  15, 5,  6,  5,  6,  5,  6,  6,
    6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28, 20, 22,
    20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23,
    22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22,
    23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22,
    25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30};

struct Code {
  std::array<uint32_t, kLongest + 1> first = {};   // code of each length
  std::array<uint16_t, kLongest + 1> count = {};   // of that length
  std::array<uint16_t, kLongest + 1> offset = {};  // of its first one among the symbols
  std::array<uint16_t, kSymbols> symbols = {};     // by code
};

constexpr Code MakeCode() {
  Code code;
  uint32_t next = 0;
  uint16_t placed = 0;
  for (size_t length = kShortest; length <= kLongest; length++) {
    next <<= 1;
    code.first[length] = next;
    code.offset[length] = placed;
    for (uint16_t symbol = 0; symbol < kSymbols; symbol++) {
      if (kLengths[symbol] != length) continue;
      code.symbols[placed++] = symbol;
      code.count[length]++;
      next++;
    }
  }
  return code;
}

constexpr Code kCode = MakeCode();
static_assert(kCode.first[kLongest] + kCode.count[kLongest] == 1u << kLongest, "the code is complete");
static_assert(kCode.symbols[kSymbols - 1] == kEndOfString, "and ends with the end");

}  // namespace

bool DecodeHuffman(std::string_view bytes, std::string& text) {
  uint32_t code = 0;
  size_t length = 0;
  for (char c : bytes) {
    for (int bit = 7; bit >= 0; bit--) {
      code = code << 1 | (static_cast<uint8_t>(c) >> bit & 1);
      length++;
      if (length < kShortest || code - kCode.first[length] >= kCode.count[length]) continue;
      uint16_t symbol = kCode.symbols[kCode.offset[length] + code - kCode.first[length]];
      if (symbol == kEndOfString) return false;
      text.push_back(static_cast<char>(symbol));
      code = 0;
      length = 0;
    }
  }
  // What is left over is the beginning of the end's code, ones, and shorter than a byte.
  return length < 8 && code == (1u << length) - 1;
}

}  // namespace flamegate
