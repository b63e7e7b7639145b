#include "header_table.h"

#include <array>
#include <utility>

namespace flamegate {
namespace {

struct StaticField {
  std::string_view name;
  std::string_view value;
};

// RFC 7541, appendix A.
constexpr std::array<StaticField, 61> kStatic = {{
    {":authority", ""},
    {":method", "GET"},
    {":method", "POST"},
    {":path", "/"},
    {":path", "/index.html"},
    {":scheme", "http"},
    {":scheme", "https"},
    {":status", "200"},
    {":status", "204"},
    {":status", "206"},
    {":status", "304"},
    {":status", "400"},
    {":status", "404"},
    {":status", "500"},
    {"accept-charset", ""},
    {"accept-encoding", "gzip, deflate"},
    {"accept-language", ""},
    {"accept-ranges", ""},
    {"accept", ""},
    {"access-control-allow-origin", ""},
    {"age", ""},
    {"allow", ""},
    {"authorization", ""},
    {"cache-control", ""},
    {"content-disposition", ""},
    {"content-encoding", ""},
    {"content-language", ""},
    {"content-length", ""},
    {"content-location", ""},
    {"content-range", ""},
    {"content-type", ""},
    {"cookie", ""},
    {"date", ""},
    {"etag", ""},
    {"expect", ""},
    {"expires", ""},
    {"from", ""},
    {"host", ""},
    {"if-match", ""},
    {"if-modified-since", ""},
    {"if-none-match", ""},
    {"if-range", ""},
    {"if-unmodified-since", ""},
    {"last-modified", ""},
    {"link", ""},
    {"location", ""},
    {"max-forwards", ""},
    {"proxy-authenticate", ""},
    {"proxy-authorization", ""},
    {"range", ""},
    {"referer", ""},
    {"refresh", ""},
    {"retry-after", ""},
    {"server", ""},
    {"set-cookie", ""},
    {"strict-transport-security", ""},
    {"transfer-encoding", ""},
    {"user-agent", ""},
    {"vary", ""},
    {"via", ""},
    {"www-authenticate", ""},
}};

const std::array<HeaderField, kStatic.size()>& StaticFields() {
  static const auto fields = [] {
    std::array<HeaderField, kStatic.size()> made;
    for (size_t i = 0; i < made.size(); i++) {
      made[i].name = FieldNameOf(kStatic[i].name);
      made[i].name_bytes = static_cast<uint32_t>(kStatic[i].name.size());
      if (made[i].name != FieldName::kOther) made[i].value = kStatic[i].value;
    }
    return made;
  }();
  return fields;
}

}  // namespace

FieldName FieldNameOf(std::string_view name) {
  if (name == ":method") return FieldName::kMethod;
  if (name == ":path") return FieldName::kPath;
  if (name == ":status") return FieldName::kStatus;
  if (name == "content-type") return FieldName::kContentType;
  if (name == "grpc-status") return FieldName::kGrpcStatus;
  if (name == "traceparent") return FieldName::kTraceParent;
  return FieldName::kOther;
}

const HeaderField* HeaderTable::Find(uint64_t index) const {
  if (index == 0) return nullptr;
  if (index <= kStatic.size()) return &StaticFields()[index - 1];
  index -= kStatic.size() + 1;
  return index < fields_.size() ? &fields_[index] : nullptr;
}

// One that is larger than the table empties it, and is none (RFC 7541, section 4.4).
void HeaderTable::Add(HeaderField field) {
  uint32_t size = field.size;
  Evict(size > max_size_ ? 0 : max_size_ - size);
  if (size > max_size_) return;
  size_ += size;
  fields_.push_front(std::move(field));
}

// A table without room has no fields from before our time either.
void HeaderTable::Resize(uint32_t bytes) {
  max_size_ = bytes;
  Evict(bytes);
  if (bytes == 0) is_complete_ = true;
}

void HeaderTable::Lose() {
  fields_.clear();
  size_ = 0;
  is_complete_ = false;
}

void HeaderTable::Evict(uint32_t bytes) {
  while (size_ > bytes) {
    size_ -= fields_.back().size;
    fields_.pop_back();
  }
}

}  // namespace flamegate
