#pragma once
#include <string>
#include <string_view>

namespace flamegate {

/// Appends what HPACK's Huffman code (RFC 7541, section 5.2) says to `text`; at most 8/5 of the bytes. False
/// where it is none.
bool DecodeHuffman(std::string_view bytes, std::string& text);

}  // namespace flamegate
