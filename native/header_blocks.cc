#include "header_blocks.h"

#include <optional>

#include "requests.h"

namespace flamegate {
namespace {

constexpr size_t kPriorityBytes = 5;
constexpr size_t kPromisedStreamBytes = 4;

// RFC 9113, sections 6.2 and 6.6; nothing where the payload is too short for what it says.
std::optional<std::string_view> FragmentOf(const Frame& frame) {
  std::string_view rest = frame.payload;
  size_t padding = 0;
  if (frame.Has(frame_flag::kPadded)) {
    if (rest.empty()) return std::nullopt;
    padding = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
  }
  size_t before = 0;
  if (frame.type == FG_FRAME_PUSH_PROMISE) before = kPromisedStreamBytes;
  if (frame.type == FG_FRAME_HEADERS && frame.Has(frame_flag::kPriority)) before = kPriorityBytes;
  if (rest.size() < before + padding) return std::nullopt;
  rest.remove_prefix(before);
  rest.remove_suffix(padding);
  return rest;
}

}  // namespace

HeaderBlocks::Found HeaderBlocks::Add(const Frame& frame) {
  bool continues = frame.type == FG_FRAME_CONTINUATION;
  if (is_open_ && (!continues || frame.stream != block_.stream)) {
    Lose();
    return Found::kMalformed;
  }
  if (frame.type == FG_FRAME_HEADERS || frame.type == FG_FRAME_PUSH_PROMISE) return Begin(frame);
  if (!continues) return Found::kNothing;
  if (is_open_) return Continue(frame, frame.payload);
  table_.Lose();
  return Found::kNothing;
}

HeaderBlocks::Found HeaderBlocks::Begin(const Frame& frame) {
  block_ = {};
  block_.stream = frame.stream;
  block_.arrived_ns = frame.arrived_ns;
  block_.ends_stream = frame.type == FG_FRAME_HEADERS && frame.Has(frame_flag::kEndStream);
  block_.is_promise = frame.type == FG_FRAME_PUSH_PROMISE;
  fragments_.clear();
  is_open_ = true;
  std::optional<std::string_view> fragment = FragmentOf(frame);
  is_whole_ = fragment.has_value();
  return Continue(frame, fragment.value_or(std::string_view()));
}

HeaderBlocks::Found HeaderBlocks::Continue(const Frame& frame, std::string_view fragment) {
  block_.bytes += FG_FRAME_HEADER_BYTES + frame.length;
  is_whole_ = is_whole_ && frame.is_whole && fragments_.size() + fragment.size() <= FG_BLOCK_BYTES;
  if (is_whole_) fragments_.append(fragment);
  if (!frame.Has(frame_flag::kEndHeaders)) return Found::kNothing;
  is_open_ = false;
  block_.is_read = is_whole_ && ReadHeaderBlock(fragments_, table_, block_.fields);
  if (block_.is_read) return Found::kBlock;
  block_.fields = {};
  block_.fields.has_unseen = true;
  table_.Lose();
  return Found::kBlock;
}

void HeaderBlocks::Lose() {
  is_open_ = false;
  table_.Lose();
}

}  // namespace flamegate
