#include "http_head.h"

#include <algorithm>
#include <array>

namespace flamegate {
namespace {

constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                      "CONNECT", "OPTIONS", "TRACE", "PATCH"};
constexpr size_t kMaxMethodBytes = 20;  // the longest registered one has 17 (UPDATEREDIRECTREF)
constexpr size_t kMaxFields = 200;      // servers refuse more than 100 to 200
constexpr std::string_view kVersion = "HTTP/1.";

bool IsUpper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

char Lower(char c) {
  return IsUpper(c) ? static_cast<char>(c + 32) : c;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return Lower(x) == y; });
}

std::string_view Trimmed(std::string_view text) {
  auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Without its end, CRLF or a bare LF (RFC 9112, section 2.2). Takes it off the text.
std::string_view TakeLine(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// Codings are applied in order, chunked at last.
bool EndsWithChunked(std::string_view codings) {
  size_t comma = codings.rfind(',');
  if (comma != std::string_view::npos) codings.remove_prefix(comma + 1);
  return EqualsIgnoringCase(Trimmed(codings), "chunked");
}

// Equal lengths may be given several times, as a list too; the first is as good as any.
std::optional<uint64_t> LengthOf(std::string_view text) {
  text = Trimmed(text.substr(0, text.find(',')));
  if (text.empty() || text.size() > 18) return std::nullopt;
  uint64_t length = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  return length;
}

// Calls `see` with the name and the value of each.
template <typename See>
void EachField(std::string_view fields, See see) {
  for (size_t i = 0; i < kMaxFields && !fields.empty(); i++) {
    std::string_view line = TakeLine(fields);
    if (line.empty()) return;
    size_t colon = line.find(':');
    if (colon != std::string_view::npos) see(line.substr(0, colon), line.substr(colon + 1));
  }
}

// What the fields say of the body. Chunked is stronger than a length; without either, `otherwise`.
class BodyFields {
 public:
  explicit BodyFields(Framing otherwise) : body_{otherwise, 0} {}

  void See(std::string_view name, std::string_view value) {
    if (body_.framing == Framing::kChunked) return;
    if (EqualsIgnoringCase(name, "transfer-encoding") && EndsWithChunked(value)) {
      body_ = {Framing::kChunked, 0};
    } else if (EqualsIgnoringCase(name, "content-length")) {
      if (auto length = LengthOf(value)) body_ = {Framing::kLength, *length};
    }
  }

  Body Result() const {
    bool is_empty = body_.framing == Framing::kLength && body_.length == 0;
    return {is_empty ? Framing::kNone : body_.framing, body_.length};
  }

 private:
  Body body_;
};

Body BodyOf(std::string_view fields, Framing otherwise) {
  BodyFields body(otherwise);
  EachField(fields, [&](std::string_view name, std::string_view value) { body.See(name, value); });
  return body.Result();
}

bool IsLowerHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f');
}

// RFC 7540, section 3.2.
bool IsH2c(std::string_view fields) {
  for (size_t i = 0; i < kMaxFields && !fields.empty(); i++) {
    std::string_view line = TakeLine(fields);
    if (line.empty()) break;
    size_t colon = line.find(':');
    if (colon == std::string_view::npos || !EqualsIgnoringCase(line.substr(0, colon), "upgrade")) continue;
    return EqualsIgnoringCase(Trimmed(line.substr(colon + 1)), "h2c");
  }
  return false;
}

}  // namespace

Method MethodOf(std::string_view name) {
  auto found = std::find(kMethods.begin(), kMethods.end(), name);
  return static_cast<Method>(found - kMethods.begin());
}

// Bytes that are no printable ASCII are written as a URL writes them.
std::string PathOf(std::string_view target, Method method) {
  if (method != Method::kConnect) {
    size_t scheme = target.find("://");
    if (scheme != std::string_view::npos && target.front() != '/') {
      size_t slash = target.find('/', scheme + 3);
      target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
  }
  target = target.substr(0, target.find_first_of("?#"));
  std::string path;
  for (char c : target) {
    if (path.size() + 3 > kMaxPathBytes) break;
    if (c > ' ' && c < 0x7f) {
      path.push_back(c);
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    auto byte = static_cast<uint8_t>(c);
    path.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return path;
}

// https://www.w3.org/TR/trace-context/, section 3.2: lower case, no id of zeros, version ff is none, and what
// comes behind in later versions is set off by a dash.
std::optional<TraceParent> TraceParentOf(std::string_view text) {
  text = Trimmed(text);
  TraceParent parent;
  if (text.size() < parent.size()) return std::nullopt;
  bool is_longer = text.size() > parent.size();
  if (is_longer && (text.starts_with("00") || text[parent.size()] != '-')) return std::nullopt;
  text = text.substr(0, parent.size());
  for (size_t i = 0; i < text.size(); i++) {
    bool is_dash = i == 2 || i == 35 || i == 52;
    if (is_dash ? text[i] != '-' : !IsLowerHex(text[i])) return std::nullopt;
  }
  auto is_zero = [&](size_t at, size_t length) {
    return text.substr(at, length).find_first_not_of('0') == std::string_view::npos;
  };
  if (text.starts_with("ff") || is_zero(3, 32) || is_zero(36, 16)) return std::nullopt;
  std::copy(text.begin(), text.end(), parent.begin());
  return parent;
}

bool MayBeginRequest(std::string_view bytes) {
  size_t letters = 0;
  while (letters < bytes.size() && letters <= kMaxMethodBytes &&
         (IsUpper(bytes[letters]) || bytes[letters] == '-'))
    letters++;
  if (letters == 0 || letters > kMaxMethodBytes) return false;
  if (letters == bytes.size()) return true;
  return bytes[letters] == ' ' && (bytes.size() == letters + 1 || bytes[letters + 1] > ' ');
}

bool MayBeginResponse(std::string_view bytes) {
  size_t common = std::min(bytes.size(), kVersion.size());
  return common > 0 && bytes.substr(0, common) == kVersion.substr(0, common);
}

std::optional<RequestHead> ParseRequestHead(std::string_view head) {
  std::string_view line = TakeLine(head);
  size_t first = line.find(' ');
  if (!MayBeginRequest(line) || first == std::string_view::npos) return std::nullopt;
  std::string_view target = line.substr(first + 1);
  size_t last = target.rfind(' ');
  if (last == std::string_view::npos || last == 0 || !target.substr(last + 1).starts_with(kVersion)) {
    return std::nullopt;
  }
  RequestHead request;
  request.method = MethodOf(line.substr(0, first));
  request.path = PathOf(target.substr(0, last), request.method);
  BodyFields body(Framing::kNone);
  size_t trace_parents = 0;
  EachField(head, [&](std::string_view name, std::string_view value) {
    body.See(name, value);
    if (!EqualsIgnoringCase(name, "traceparent")) return;
    trace_parents++;
    request.trace_parent = TraceParentOf(value);
  });
  if (trace_parents > 1) request.trace_parent.reset();  // whose it was cannot be told
  request.body = body.Result();
  return request;
}

std::optional<ResponseHead> ParseResponseHead(std::string_view head, Method method) {
  std::string_view line = TakeLine(head);
  // "HTTP/1.1 200", perhaps a reason behind it
  if (line.size() < 12 || !MayBeginResponse(line) || line[8] != ' ') return std::nullopt;
  std::string_view digits = line.substr(9, 3);
  if (!std::all_of(digits.begin(), digits.end(), IsDigit) || digits[0] == '0') return std::nullopt;
  ResponseHead response;
  response.status =
      static_cast<uint16_t>((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
  bool is_success = response.status >= 200 && response.status < 300;
  if (response.status == 101 || (method == Method::kConnect && is_success)) {
    response.body = {Framing::kTunnel, 0};
    response.is_h2c = response.status == 101 && IsH2c(head);
  } else if (response.status >= 200 && response.status != 204 && response.status != 304 &&
             method != Method::kHead) {
    response.body = BodyOf(head, Framing::kUntilClose);
  }
  return response;
}

}  // namespace flamegate
