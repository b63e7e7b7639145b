#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flamegate {

/// How the end of a message's body is found (RFC 9112, section 6.3).
enum class Framing { kNone, kLength, kChunked, kUntilClose, kTunnel };

struct Body {
  Framing framing = Framing::kNone;
  uint64_t length = 0;  ///< of kLength
};

/// In the order of METHODS in src/native/exchange-batch.ts.
enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  kOther,
};

/// The field traceparent of W3C Trace Context, of the form that version 00 has: version, trace, parent and
/// flags in hexadecimal.
using TraceParent = std::array<char, 55>;

struct RequestHead {
  Method method = Method::kOther;
  std::string path;  ///< printable ASCII, without query and authority, at most kMaxPathBytes
  Body body;
  std::optional<TraceParent> trace_parent;  ///< nothing where it is not there, not valid, or there twice
};

struct ResponseHead {
  uint16_t status = 0;
  Body body;
  bool is_h2c = false;  ///< it goes on in HTTP/2
};

inline constexpr size_t kMaxPathBytes = 512;  // longest routes of public APIs have half of that

/// Whether bytes begin, or may go on to begin, a request line or a status line.
bool MayBeginRequest(std::string_view bytes);
bool MayBeginResponse(std::string_view bytes);

Method MethodOf(std::string_view name);
/// Without query, which holds people's data and makes each path another one.
std::string PathOf(std::string_view target, Method method);

/// Nothing where the value is not valid.
std::optional<TraceParent> TraceParentOf(std::string_view value);

/// Of a head, whole or cut off anywhere behind its first line. Nothing where the first line is none of
/// HTTP/1.x.
std::optional<RequestHead> ParseRequestHead(std::string_view head);
/// `method` is that of the request.
std::optional<ResponseHead> ParseResponseHead(std::string_view head, Method method);

}  // namespace flamegate
