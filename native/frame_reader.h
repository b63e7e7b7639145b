#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flamegate {

/// A frame of HTTP/2 (RFC 9113, section 4.1) that has come to its end.
struct Frame {
  uint8_t type = 0;  ///< FG_FRAME_…
  uint8_t flags = 0;
  uint32_t stream = 0;
  uint32_t length = 0;       ///< of the payload
  uint64_t arrived_ns = 0;   ///< the first byte of its header, where it was received
  std::string_view payload;  ///< as far as it was copied
  bool is_whole = true;      ///< all of it was

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

namespace frame_flag {
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;
}  // namespace frame_flag

/// Puts together the frames of one direction from the runs of its records (struct fg_run).
class FrameReader {
 public:
  enum class Found {
    kNothing,    ///< the record is read to its end
    kFrame,      ///< Last() is a frame
    kMalformed,  ///< no runs, or none that follow those before
  };

  void Begin(std::string_view runs) { runs_ = runs; }
  Found Next();
  /// Valid until the next call.
  const Frame& Last() const { return frame_; }
  /// Forgets the frame that is under way: what comes next is a header, or belongs to nothing.
  void Lose();
  size_t Bytes() const { return payload_.capacity(); }

 private:
  Found ReadHeader(std::string_view bytes, uint64_t arrived_ns);
  Found End();

  std::string_view runs_;
  Frame frame_;
  std::string payload_;
  bool is_open_ = false;
  uint32_t left_ = 0;  // bytes of the payload
};

}  // namespace flamegate
