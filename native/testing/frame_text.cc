#include "frame_text.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace flamegate {
namespace {

constexpr std::array<std::string_view, 10> kTypes = {
    "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
    "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr char kPaddingBytes = 3;
constexpr uint8_t kPadded = 0x8;
constexpr uint8_t kPriority = 0x20;
constexpr uint32_t kMostBytes = 1 << 21;

std::string_view TakeWord(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  size_t end = text.find(' ');
  std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return word;
}

std::optional<uint32_t> NumberOf(std::string_view text) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > kMostBytes) return std::nullopt;
  return number;
}

std::string BigEndian(uint32_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; i--) text.push_back(static_cast<char>(number >> (8 * i)));
  return text;
}

// RFC 7541, section 5.1.
std::string Integer(uint8_t first, int prefix_bits, uint32_t value) {
  uint32_t most = (1u << prefix_bits) - 1;
  if (value < most) return {static_cast<char>(first | value)};
  std::string bytes = {static_cast<char>(first | most)};
  for (value -= most; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string String(std::string_view text) {
  return Integer(0, 7, static_cast<uint32_t>(text.size())) + std::string(text);
}

std::string Hex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    uint8_t byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

// `#4`, `#4=/a`, `name=value`, `~name=value`; names and numbers go into the table but behind a `~`.
std::optional<std::string> Field(std::string_view word) {
  bool is_added = !word.starts_with('~');
  if (!is_added) word.remove_prefix(1);
  uint8_t first = is_added ? 0x40 : 0;
  int prefix_bits = is_added ? 6 : 4;
  size_t equals = word.find('=', 1);
  std::string_view name = word.substr(0, equals);
  if (!name.starts_with('#')) {
    if (equals == std::string_view::npos) return std::nullopt;
    return std::string{static_cast<char>(first)} + String(name) + String(word.substr(equals + 1));
  }
  std::optional<uint32_t> index = NumberOf(name.substr(1));
  if (!index) return std::nullopt;
  if (equals == std::string_view::npos) return Integer(0x80, 7, *index);
  return Integer(first, prefix_bits, *index) + String(word.substr(equals + 1));
}

std::string Repeated(uint32_t times, std::string_view text) {
  std::string all;
  for (uint32_t i = 0; i < times && all.size() < kMostBytes; i++) all.append(text);
  return all;
}

// What a word of a frame puts into its payload; `!N` says that N bytes of it come later.
std::optional<std::string> Item(std::string_view word, uint32_t& missing) {
  size_t star = word.find('*');
  if (std::optional<uint32_t> times = NumberOf(word.substr(0, star));
      times && star != std::string_view::npos) {
    std::optional<std::string> item = Item(word.substr(star + 1), missing);
    return item ? std::optional(Repeated(*times, *item)) : std::nullopt;
  }
  std::string_view rest = word.substr(1);
  std::optional<uint32_t> number = NumberOf(rest);
  switch (word.front()) {
    case '!':
      missing = number.value_or(0);
      return std::string();
    case '*':
      return std::string(number.value_or(0), 'x');
    case '@':
      return BigEndian(number.value_or(0), 4);
    case '^':
      return Integer(0x20, 5, number.value_or(0));
    case '$':
      return Hex(rest);
    case 'g':
      if (number) return std::string(1, '\0') + BigEndian(*number, 4) + std::string(*number, 'm');
      break;
    default:
      break;
  }
  return Field(word);
}

uint8_t FlagsOf(std::string_view letters) {
  uint8_t flags = 0;
  for (char letter : letters) {
    if (letter == 'e') flags |= 0x1;
    if (letter == 'h') flags |= 0x4;
    if (letter == 'p') flags |= kPadded;
    if (letter == 'y') flags |= kPriority;
  }
  return flags;
}

// `7`, or each second one of `1..7`.
struct StreamIds {
  uint32_t first = 0;
  uint32_t last = 0;
};

std::optional<StreamIds> StreamsOf(std::string_view word) {
  size_t dots = word.find("..");
  std::optional<uint32_t> first = NumberOf(word.substr(0, dots));
  std::optional<uint32_t> last = dots == std::string_view::npos ? first : NumberOf(word.substr(dots + 2));
  if (!first || !last) return std::nullopt;
  return StreamIds{*first, *last};
}

struct Payload {
  std::string bytes;
  uint32_t missing = 0;
};

std::optional<Payload> PayloadOf(std::string_view words, uint8_t flags) {
  Payload payload;
  if ((flags & kPadded) != 0) payload.bytes.push_back(kPaddingBytes);
  if ((flags & kPriority) != 0) payload.bytes.append(5, '\0');
  for (std::string_view word = TakeWord(words); !word.empty(); word = TakeWord(words)) {
    std::optional<std::string> item = Item(word, payload.missing);
    if (!item) return std::nullopt;
    payload.bytes.append(*item);
  }
  if ((flags & kPadded) != 0) payload.bytes.append(kPaddingBytes, '\0');
  return payload;
}

std::optional<std::string> FrameOf(std::string_view text) {
  std::string_view name = TakeWord(text);
  if (name == "preface") return std::string(kPreface);
  if (name == "raw") {
    std::optional<Payload> raw = PayloadOf(text, 0);
    return raw ? std::optional(raw->bytes) : std::nullopt;
  }
  size_t type = 0;
  while (type < kTypes.size() && kTypes[type] != name) type++;
  std::optional<StreamIds> streams = StreamsOf(TakeWord(text));
  uint8_t flags = FlagsOf(TakeWord(text));
  std::optional<Payload> payload = PayloadOf(text, flags);
  if (type == kTypes.size() || !streams || !payload) return std::nullopt;
  std::string frames;
  for (uint32_t stream = streams->first; stream <= streams->last; stream += 2) {
    frames.append(BigEndian(static_cast<uint32_t>(payload->bytes.size()) + payload->missing, 3));
    frames.append({static_cast<char>(type), static_cast<char>(flags)});
    frames.append(BigEndian(stream, 4)).append(payload->bytes);
  }
  return frames;
}

}  // namespace

std::optional<std::string> FramesOf(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    size_t end = text.find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) return std::nullopt;
    std::optional<std::string> frame = FrameOf(text.substr(1, end - 1));
    if (!frame) return std::nullopt;
    bytes.append(*frame);
    text.remove_prefix(end + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return bytes;
}

}  // namespace flamegate
