#include "http2_connection.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "requests.h"

namespace flamegate {
namespace {

// Servers allow 100 (Netty, Jetty) or do not say (gRPC); an attacker's are not worth their memory.
constexpr size_t kMaxStreams = 256;
constexpr uint32_t kUpgradedStream = 1;  // RFC 7540, section 3.2

// Of `digits` digits or fewer; `otherwise` where it is none.
uint16_t NumberOf(std::string_view text, size_t digits, uint16_t otherwise) {
  if (text.empty() || text.size() > digits) return otherwise;
  uint16_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return otherwise;
    number = static_cast<uint16_t>(number * 10 + (c - '0'));
  }
  return number;
}

// Without padding: what is known of it, and its length (RFC 9113, section 6.1).
void AddData(const Frame& frame, RpcMessages& messages) {
  std::string_view bytes = frame.payload;
  uint64_t length = frame.length;
  if (frame.Has(frame_flag::kPadded)) {
    uint64_t padding = bytes.empty() ? 0 : static_cast<uint8_t>(bytes.front());
    length -= std::min<uint64_t>(length, padding + 1);
    bytes = bytes.substr(std::min<size_t>(bytes.size(), 1));
  }
  messages.Add(bytes, length);
}

// gRPC over HTTP/2, with any encoding of messages; gRPC-Web has its trailers in the body.
bool IsRpc(std::string_view content_type) {
  constexpr std::string_view kType = "application/grpc";
  if (!content_type.starts_with(kType)) return false;
  std::string_view rest = content_type.substr(kType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

// False where the runs are none.
template <typename OnFrame>
bool ReadFrames(FrameReader& frames, std::string_view runs, OnFrame on_frame) {
  frames.Begin(runs);
  FrameReader::Found found = frames.Next();
  for (; found == FrameReader::Found::kFrame; found = frames.Next()) on_frame(frames.Last());
  return found == FrameReader::Found::kNothing;
}

}  // namespace

void Http2Connection::Direction::Lose() {
  frames.Lose();
  blocks.Lose();
}

// Before a call's frames are read: a direction that was joined has no table from its beginning.
void Http2Connection::Join(const Call& call) {
  auto join = [](Direction& direction, uint8_t followed) {
    if (direction.followed == followed || followed == FG_FOLLOWED_NOT) return;
    direction.followed = followed;
    if (followed == FG_FOLLOWED_JOINED) direction.Lose();
  };
  join(requests_, call.received);
  join(responses_, call.sent);
}

// After them: what is not followed any more has lost its way. Without responses no request ends.
void Http2Connection::Leave(const Call& call, HttpCounts& counts) {
  auto leave = [](Direction& direction, uint8_t followed) {
    if (direction.followed == followed || followed != FG_FOLLOWED_NOT) return false;
    direction.followed = followed;
    direction.Lose();
    return true;
  };
  leave(requests_, call.received);
  if (leave(responses_, call.sent)) GiveUp(counts);
}

void Http2Connection::Receive(const Call& call, std::vector<Exchange>& done, HttpCounts& counts) {
  last_ns_ = call.time_ns;
  is_peer_closed_ = is_peer_closed_ || call.is_peer_closed;
  Join(call);
  auto on_frame = [&](const Frame& frame) { OnRequestFrame(frame, call, done, counts); };
  if (!ReadFrames(requests_.frames, call.runs, on_frame)) {
    counts.garbage++;
    requests_.Lose();
  }
  Leave(call, counts);
}

HeaderBlocks::Found Http2Connection::AddHeaders(Direction& direction, const Frame& frame,
                                                HttpCounts& counts) {
  HeaderBlocks::Found found = direction.blocks.Add(frame);
  if (found == HeaderBlocks::Found::kBlock && !direction.blocks.Last().is_read) counts.unread++;
  if (found == HeaderBlocks::Found::kMalformed) counts.garbage++;
  return found;
}

void Http2Connection::OnRequestFrame(const Frame& frame, const Call& call, std::vector<Exchange>& done,
                                     HttpCounts& counts) {
  switch (AddHeaders(requests_, frame, counts)) {
    case HeaderBlocks::Found::kBlock:
      BeginRequest(requests_.blocks.Last(), call, counts);
      return;
    case HeaderBlocks::Found::kMalformed:
      return;
    case HeaderBlocks::Found::kNothing:
      break;
  }
  auto stream = streams_.find(frame.stream);
  if (stream == streams_.end()) return;
  if (frame.type == FG_FRAME_RST_STREAM) {
    Finish(stream, Outcome::kClientGone, call.time_ns, done);
  } else if (frame.type == FG_FRAME_DATA) {
    stream->second.exchange.bytes_in += FG_FRAME_HEADER_BYTES + frame.length;
    AddData(frame, stream->second.in);
  }
}

// A stream that is not new has come to its trailers, or is not followed.
void Http2Connection::BeginRequest(const HeaderBlock& block, const Call& call, HttpCounts& counts) {
  if (auto stream = streams_.find(block.stream); stream != streams_.end()) {
    stream->second.exchange.bytes_in += block.bytes;
    return;
  }
  if (block.is_promise || block.stream % 2 == 0) {
    counts.garbage++;
    return;
  }
  if (block.stream <= newest_) return;
  newest_ = block.stream;
  bool is_request = block.is_read && (!block.fields.method.empty() || block.fields.has_unseen);
  if (call.sent == FG_FOLLOWED_NOT || (call.received == FG_FOLLOWED_JOINED && !is_request)) {
    counts.hidden++;
    return;
  }
  if (streams_.size() == kMaxStreams) {
    counts.too_many++;
    return;
  }
  if (block.arrived_ns == 0) counts.no_arrival++;
  if (block.fields.path.empty()) counts.unnamed++;
  Stream& stream = streams_[block.stream];
  stream.is_rpc = IsRpc(block.fields.content_type);
  stream.exchange.container = container_;
  stream.exchange.started_ns = block.arrived_ns != 0 ? block.arrived_ns : call.time_ns;
  stream.exchange.received_ns = call.time_ns;
  stream.exchange.receiver = call.caller;
  stream.exchange.method = MethodOf(block.fields.method);
  stream.exchange.path = block.fields.path;
  stream.exchange.trace_parent = TraceParentOf(block.fields.trace_parent);
  stream.exchange.bytes_in = block.bytes;
}

void Http2Connection::Send(const Call& call, std::vector<Exchange>& done, HttpCounts& counts) {
  last_ns_ = call.time_ns;
  Join(call);
  auto on_frame = [&](const Frame& frame) { OnResponseFrame(frame, call, done, counts); };
  if (!ReadFrames(responses_.frames, call.runs, on_frame)) {
    counts.garbage++;
    responses_.Lose();
    GiveUp(counts);
  }
  Leave(call, counts);
}

void Http2Connection::OnResponseFrame(const Frame& frame, const Call& call, std::vector<Exchange>& done,
                                      HttpCounts& counts) {
  switch (AddHeaders(responses_, frame, counts)) {
    case HeaderBlocks::Found::kBlock:
      ReadResponse(responses_.blocks.Last(), call, done, counts);
      return;
    case HeaderBlocks::Found::kMalformed:
      return;
    case HeaderBlocks::Found::kNothing:
      break;
  }
  if (frame.type == FG_FRAME_GOAWAY) GoAway(frame, call.time_ns, done);
  auto stream = streams_.find(frame.stream);
  if (stream == streams_.end()) return;
  if (frame.type == FG_FRAME_RST_STREAM) {
    Finish(stream, Outcome::kReset, call.time_ns, done, call.caller);
  } else if (frame.type == FG_FRAME_DATA) {
    stream->second.exchange.bytes_out += FG_FRAME_HEADER_BYTES + frame.length;
    AddData(frame, stream->second.out);
    if (frame.Has(frame_flag::kEndStream)) {
      Finish(stream, Outcome::kCompleted, call.time_ns, done, call.caller);
    }
  }
}

// An informational response, the response's head, or its trailers.
void Http2Connection::ReadResponse(const HeaderBlock& block, const Call& call, std::vector<Exchange>& done,
                                   HttpCounts& counts) {
  if (block.is_promise || block.stream % 2 == 0) return;  // of a push nobody asked for it
  auto found = streams_.find(block.stream);
  if (found == streams_.end()) {
    counts.unasked++;
    return;
  }
  Stream& stream = found->second;
  Exchange& exchange = stream.exchange;
  exchange.bytes_out += block.bytes;
  uint16_t status = NumberOf(block.fields.status, 3, 0);
  bool is_trailer = stream.has_status;
  if (!is_trailer && status >= 200) {
    exchange.status = status;
    stream.has_status = true;
  }
  // Trailers that refer to what was before our time may say that a call failed.
  if (is_trailer && block.fields.has_unseen && block.fields.grpc_status.empty()) exchange.status = 0;
  exchange.grpc_status = static_cast<uint8_t>(NumberOf(block.fields.grpc_status, 2, exchange.grpc_status));
  stream.is_rpc = stream.is_rpc || IsRpc(block.fields.content_type) || exchange.grpc_status != kNoGrpcStatus;
  bool is_tunnel = exchange.method == Method::kConnect && exchange.status >= 200 && exchange.status < 300;
  if (block.ends_stream || is_tunnel) {
    Finish(found, Outcome::kCompleted, call.time_ns, done, call.caller);
  }
}

// RFC 9113, section 6.8: the server has not begun with streams after this one.
void Http2Connection::GoAway(const Frame& frame, uint64_t time_ns, std::vector<Exchange>& done) {
  if (frame.payload.size() < 4) return;
  uint32_t last = 0;
  for (char c : frame.payload.substr(0, 4)) last = last << 8 | static_cast<uint8_t>(c);
  last &= 0x7fffffff;
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    auto next = std::next(stream);
    if (stream->first > last) Finish(stream, Outcome::kUnfinished, time_ns, done);
    stream = next;
  }
}

void Http2Connection::Finish(Streams::iterator stream, Outcome outcome, uint64_t time_ns,
                             std::vector<Exchange>& done, Caller sender) {
  auto& [exchange, is_rpc, has_status, in, out] = stream->second;
  // A client that has said good-bye waits for no answer.
  exchange.outcome = outcome == Outcome::kCompleted && is_peer_closed_ ? Outcome::kClientGone : outcome;
  exchange.sender = sender;
  exchange.latency_ns = time_ns > exchange.started_ns ? time_ns - exchange.started_ns : 0;
  if (is_rpc) exchange.rpc = in.AreMany() || out.AreMany() ? Rpc::kStreaming : Rpc::kUnary;
  done.push_back(std::move(exchange));
  streams_.erase(stream);
}

void Http2Connection::End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done) {
  last_ns_ = time_ns;
  if (ending == Ending::kPeerClosed) {
    is_peer_closed_ = true;
    return;
  }
  Outcome outcome = ending == Ending::kAborted ? Outcome::kReset
                    : is_peer_closed_          ? Outcome::kClientGone
                                               : Outcome::kUnfinished;
  while (!streams_.empty()) Finish(streams_.begin(), outcome, time_ns, done);
}

void Http2Connection::AddOpen(std::vector<OpenRequest>& open) const {
  for (const auto& [id, stream] : streams_)
    open.push_back({container_, stream.exchange.receiver, stream.exchange.received_ns});
}

void Http2Connection::Adopt(Exchange request) {
  request.status = 0;
  request.bytes_out = 0;
  newest_ = kUpgradedStream;
  responses_.followed = requests_.followed = FG_FOLLOWED_WHOLE;
  streams_[kUpgradedStream].exchange = std::move(request);
}

void Http2Connection::GiveUp(HttpCounts& counts) {
  counts.given_up += streams_.size();
  streams_.clear();
}

void Http2Connection::Resynchronize(HttpCounts& counts) {
  GiveUp(counts);
  requests_.Lose();
  responses_.Lose();
}

size_t Http2Connection::Bytes() const {
  constexpr size_t kOfStream = sizeof(Stream) + kMaxPathBytes / 2;  // paths of services are short
  size_t bytes = sizeof(*this) + streams_.size() * kOfStream;
  for (const Direction* direction : {&requests_, &responses_})
    bytes += direction->frames.Bytes() + direction->blocks.Bytes();
  return bytes;
}

}  // namespace flamegate
