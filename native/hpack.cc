#include "hpack.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "http_head.h"
#include "huffman.h"

namespace flamegate {
namespace {

constexpr size_t kMaxValueBytes = 32;        // application/grpc+proto has 22; paths have a bound of their own
constexpr size_t kMaxTraceParentBytes = 64;  // 55, and that later versions go on behind a dash
constexpr int kMaxDigits = 4;  // of an integer, behind its prefix: 28 bits, more than any block has

// RFC 7541, section 5.1, from the bits of the first byte that are the prefix's.
std::optional<uint32_t> TakeInteger(std::string_view& bytes, int prefix_bits) {
  if (bytes.empty()) return std::nullopt;
  uint32_t most = (1u << prefix_bits) - 1;
  uint32_t value = static_cast<uint8_t>(bytes.front()) & most;
  bytes.remove_prefix(1);
  if (value < most) return value;
  for (int digit = 0; digit < kMaxDigits && !bytes.empty(); digit++) {
    auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value += (byte & 0x7fu) << (7 * digit);
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// RFC 7541, section 5.2.
std::optional<std::string> TakeString(std::string_view& bytes) {
  bool is_huffman = !bytes.empty() && (bytes.front() & 0x80) != 0;
  std::optional<uint32_t> length = TakeInteger(bytes, 7);
  if (!length || *length > bytes.size()) return std::nullopt;
  std::string_view text = bytes.substr(0, *length);
  bytes.remove_prefix(*length);
  if (!is_huffman) return std::string(text);
  std::string decoded;
  if (!DecodeHuffman(text, decoded)) return std::nullopt;
  return decoded;
}

std::string KeptOf(FieldName name, std::string value) {
  switch (name) {
    case FieldName::kOther:
    case FieldName::kUnseen:
      return {};
    case FieldName::kPath:
      return PathOf(value, Method::kOther);
    case FieldName::kMethod:
    case FieldName::kStatus:
    case FieldName::kContentType:
    case FieldName::kGrpcStatus:
      value.resize(std::min(value.size(), kMaxValueBytes));
      return value;
    case FieldName::kTraceParent:
      value.resize(std::min(value.size(), kMaxTraceParentBytes));
      return value;
  }
  return {};
}

// A field that is said twice is the first one; whose trace it was cannot be told then.
void Put(const HeaderField& field, HeaderFields& fields) {
  auto put = [&](std::string& to) {
    if (to.empty()) to = field.value;
  };
  switch (field.name) {
    case FieldName::kOther:
      break;
    case FieldName::kUnseen:
      fields.has_unseen = true;
      break;
    case FieldName::kMethod:
      return put(fields.method);
    case FieldName::kPath:
      return put(fields.path);
    case FieldName::kStatus:
      return put(fields.status);
    case FieldName::kContentType:
      return put(fields.content_type);
    case FieldName::kGrpcStatus:
      return put(fields.grpc_status);
    case FieldName::kTraceParent:
      fields.trace_parent = fields.has_trace_parent ? std::string() : field.value;
      fields.has_trace_parent = true;
  }
}

// One of the table. What is not known may have been before our time.
bool ReadIndexed(std::string_view& block, const HeaderTable& table, HeaderFields& fields) {
  std::optional<uint32_t> index = TakeInteger(block, 7);
  if (!index || *index == 0) return false;
  const HeaderField* field = table.Find(*index);
  if (field == nullptr) {
    fields.has_unseen = true;
    return !table.IsComplete();
  }
  Put(*field, fields);
  return true;
}

std::optional<HeaderField> TakeLiteral(std::string_view& block, int prefix_bits, const HeaderTable& table) {
  std::optional<uint32_t> index = TakeInteger(block, prefix_bits);
  if (!index) return std::nullopt;
  HeaderField field;
  if (*index == 0) {
    std::optional<std::string> name = TakeString(block);
    if (!name) return std::nullopt;
    field.name = FieldNameOf(*name);
    field.name_bytes = static_cast<uint32_t>(name->size());
  } else if (const HeaderField* named = table.Find(*index); named != nullptr) {
    field.name = named->name;
    field.name_bytes = named->name_bytes;
  } else if (!table.IsComplete()) {
    field.name = FieldName::kUnseen;
  } else {
    return std::nullopt;
  }
  std::optional<std::string> value = TakeString(block);
  if (!value) return std::nullopt;
  field.size = 32 + field.name_bytes + static_cast<uint32_t>(value->size());
  field.value = KeptOf(field.name, std::move(*value));
  return field;
}

}  // namespace

// first byte → RFC 7541, section 6
// 1xxxxxxx   → a field of the table
// 01xxxxxx   → a field that the table gets
// 001xxxxx   → the table's size, only before the first field
// 000xxxxx   → a field that it does not get
bool ReadHeaderBlock(std::string_view block, HeaderTable& table, HeaderFields& fields) {
  bool has_begun = false;
  while (!block.empty()) {
    auto byte = static_cast<uint8_t>(block.front());
    if (byte >= 0x20 && byte < 0x40) {
      std::optional<uint32_t> size = TakeInteger(block, 5);
      if (!size || *size > kMaxTableBytes || has_begun) return false;
      table.Resize(*size);
      continue;
    }
    has_begun = true;
    if (byte >= 0x80) {
      if (!ReadIndexed(block, table, fields)) return false;
      continue;
    }
    bool is_added = byte >= 0x40;
    std::optional<HeaderField> field = TakeLiteral(block, is_added ? 6 : 4, table);
    if (!field) return false;
    Put(*field, fields);
    if (is_added) table.Add(std::move(*field));
  }
  return true;
}

}  // namespace flamegate
