#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace flamegate {

/// The fields of which values are kept. Others may hold people's data, and nobody asks for them.
enum class FieldName : uint8_t {
  kOther,
  kUnseen,  ///< nobody knows which: it was said before our time
  kMethod,
  kPath,
  kStatus,
  kContentType,
  kGrpcStatus,
  kTraceParent,
};

FieldName FieldNameOf(std::string_view name);

/// A field of a table of HPACK.
struct HeaderField {
  FieldName name = FieldName::kOther;
  uint32_t name_bytes = 0;
  uint32_t size = 0;  ///< as RFC 7541, section 4.1, counts
  std::string value;  ///< empty if it is not kept
};

/// HPACK's tables (RFC 7541, section 2.3) of one direction, of which the oldest fields may be unknown. A
/// number counts from the newest field on: those that were added since we listen are known for certain.
class HeaderTable {
 public:
  /// Null if there is no such field or it is not known; IsComplete tells which.
  const HeaderField* Find(uint64_t index) const;
  void Add(HeaderField field);
  void Resize(uint32_t bytes);
  /// Fields may have been added that nobody saw.
  void Lose();

  bool IsComplete() const { return is_complete_; }
  uint32_t Size() const { return size_; }
  size_t Length() const { return fields_.size(); }
  /// About what it takes of memory.
  size_t Bytes() const { return size_ + fields_.size() * sizeof(HeaderField); }

 private:
  void Evict(uint32_t bytes);

  std::deque<HeaderField> fields_;  // the newest first
  uint32_t size_ = 0;
  uint32_t max_size_ = 4096;  // RFC 9113, section 6.5.2, until the block says otherwise
  bool is_complete_ = true;
};

/// Of a table of either end: browsers' 64 KB is the largest that is known.
inline constexpr uint32_t kMaxTableBytes = 65'536;

}  // namespace flamegate
