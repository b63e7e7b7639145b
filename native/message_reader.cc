#include "message_reader.h"

#include <algorithm>
#include <optional>

namespace flamegate {
namespace {

constexpr size_t kMaxHeadBytes =
    8192;  // what servers accept by default; of longer ones the beginning has to do
constexpr size_t kMaxLineBytes = 256;   // a chunk's size with extensions, or a trailer
constexpr size_t kMaxChunkDigits = 15;  // fewer than a 64-bit number has

// Of the line before extensions; nothing if it is no number.
std::optional<uint64_t> ChunkSizeOf(std::string_view line) {
  uint64_t size = 0;
  size_t digits = 0;
  for (char c : line) {
    int value = c >= '0' && c <= '9'                 ? c - '0'
                : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                     : -1;
    if (value < 0) break;
    size = size * 16 + static_cast<uint64_t>(value);
    if (++digits > kMaxChunkDigits) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  return size;
}

// Behind the empty line that ends a head; npos while there is none. Only what is new need be searched, and
// two bytes before.
size_t EndOfHead(std::string_view head, size_t known) {
  for (size_t at = head.find('\n', known > 3 ? known - 3 : 0); at != std::string_view::npos;
       at = head.find('\n', at + 1)) {
    std::string_view rest = head.substr(at + 1);
    if (rest.starts_with("\n")) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return std::string_view::npos;
}

}  // namespace

void MessageReader::Become(State state) {
  state_ = state;
  head_.clear();
  line_.clear();
  left_ = 0;
}

void MessageReader::Begin(std::string_view bytes, uint64_t length) {
  bytes_ = bytes.substr(0, length);
  length_ = length;
  position_ = 0;
  if (state_ != State::kBetween && state_ != State::kUnframed) return;
  bool begins = side_ == Side::kRequests ? MayBeginRequest(bytes_) : MayBeginResponse(bytes_);
  if (begins) Become(State::kHead);
}

MessageReader::Found MessageReader::Next() {
  while (position_ < length_) {
    switch (state_) {
      case State::kHead:
        return ReadHead();
      case State::kSkip:
        if (Skip()) {
          Become(State::kHead);
          return Found::kEnd;
        }
        break;
      case State::kChunkSize:
        if (Found found = ReadChunkSize(); found != Found::kNothing) return found;
        break;
      case State::kChunkData:
        if (Skip()) Become(State::kChunkSize);
        break;
      case State::kTrailers:
        if (Found found = ReadTrailers(); found != Found::kNothing) return found;
        break;
      case State::kUntilClose:
      case State::kUnframed:
      case State::kBetween:
        position_ = length_;
        break;
    }
  }
  return Found::kNothing;
}

bool MessageReader::Expect(const Body& body) {
  bool is_cut = is_head_cut_;
  Become(is_cut ? State::kUnframed : State::kHead);
  is_head_cut_ = false;
  if (is_cut) return false;
  switch (body.framing) {
    case Framing::kNone:
      return true;
    case Framing::kLength:
      state_ = State::kSkip;
      left_ = body.length;
      break;
    case Framing::kChunked:
      state_ = State::kChunkSize;
      break;
    case Framing::kUntilClose:
    case Framing::kTunnel:
      state_ = State::kUntilClose;
      break;
  }
  return false;
}

// Between messages, empty lines are passed over (RFC 9112, section 2.2).
MessageReader::Found MessageReader::ReadHead() {
  while (head_.empty() && position_ < bytes_.size() &&
         (bytes_[position_] == '\r' || bytes_[position_] == '\n'))
    position_++;
  if (position_ == length_) return Found::kNothing;
  if (head_.empty() && position_ >= bytes_.size()) {
    Become(State::kBetween);
    return Found::kLost;
  }
  size_t known = head_.size();
  std::string_view seen = bytes_.substr(std::min<uint64_t>(position_, bytes_.size()));
  head_.append(seen.substr(0, kMaxHeadBytes - known));
  bool begins = side_ == Side::kRequests ? MayBeginRequest(head_) : MayBeginResponse(head_);
  if (!begins) {
    Become(State::kBetween);
    position_ = length_;
    return Found::kGarbage;
  }
  size_t end = EndOfHead(head_, known);
  if (end != std::string_view::npos) {
    position_ += end - known;
    head_.resize(end);
    return Found::kHead;
  }
  bool is_cut = position_ + seen.size() < length_ || head_.size() == kMaxHeadBytes;
  position_ = length_;
  if (!is_cut) return Found::kNothing;
  is_head_cut_ = true;
  return Found::kHead;
}

// True when all of it was skipped.
bool MessageReader::Skip() {
  uint64_t step = std::min(left_, length_ - position_);
  left_ -= step;
  position_ += step;
  return left_ == 0;
}

// A line into line_, true when it is whole. What cannot be seen ends the counting.
bool MessageReader::TakeLine() {
  while (position_ < bytes_.size()) {
    char c = bytes_[position_++];
    if (c == '\n') {
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      return true;
    }
    line_.push_back(c);
    if (line_.size() > kMaxLineBytes) break;
  }
  if (position_ < length_ || line_.size() > kMaxLineBytes) {
    Become(State::kUnframed);
    position_ = length_;
  }
  return false;
}

MessageReader::Found MessageReader::ReadChunkSize() {
  if (!TakeLine()) return Found::kNothing;
  std::optional<uint64_t> size = ChunkSizeOf(line_);
  if (!size) {
    Become(State::kUnframed);
    return Found::kGarbage;
  }
  Become(*size == 0 ? State::kTrailers : State::kChunkData);
  left_ = *size == 0 ? 0 : *size + 2;
  return Found::kNothing;
}

MessageReader::Found MessageReader::ReadTrailers() {
  if (!TakeLine()) return Found::kNothing;
  if (!line_.empty()) {
    line_.clear();
    return Found::kNothing;
  }
  Become(State::kHead);
  return Found::kEnd;
}

}  // namespace flamegate
