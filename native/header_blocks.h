#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "frame_reader.h"
#include "header_table.h"
#include "hpack.h"

namespace flamegate {

/// What the HEADERS, or PUSH_PROMISE, of a stream say together with the frames that continue them.
struct HeaderBlock {
  uint32_t stream = 0;
  uint64_t arrived_ns = 0;  ///< its first byte, where it was received
  uint64_t bytes = 0;       ///< of its frames
  bool ends_stream = false;
  bool is_promise = false;
  bool is_read = false;  ///< else the fields are not known: it was not copied whole, or is no HPACK
  HeaderFields fields;
};

/// Header blocks of one direction, and its table of HPACK. Every block has to pass here, or the table is not
/// to be trusted.
class HeaderBlocks {
 public:
  enum class Found {
    kNothing,    ///< there is more to come, or it belongs to no block
    kBlock,      ///< Last() is one
    kMalformed,  ///< a frame that may not be where it is
  };

  Found Add(const Frame& frame);
  const HeaderBlock& Last() const { return block_; }
  /// A block may have been missed.
  void Lose();
  size_t Bytes() const { return fragments_.capacity() + table_.Bytes(); }

 private:
  Found Begin(const Frame& frame);
  Found Continue(const Frame& frame, std::string_view fragment);

  HeaderTable table_;
  HeaderBlock block_;
  std::string fragments_;
  bool is_open_ = false;
  bool is_whole_ = false;
};

}  // namespace flamegate
