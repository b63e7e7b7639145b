#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_head.h"
#include "message_reader.h"

namespace flamegate {

/// In the order of OUTCOMES in src/native/exchange-batch.ts.
enum class Outcome : uint8_t {
  kCompleted,   ///< the response was given to the kernel to its end
  kClientGone,  ///< the client closed, or reset the stream, before that
  kUnfinished,  ///< the server closed before that
  kReset,       ///< the connection was reset, or timed out, before that, or the server reset the stream
};

/// In the order of RPCS in src/native/exchange-batch.ts. Whether a request is a call of gRPC.
enum class Rpc : uint8_t {
  kNone,
  kUnary,      ///< with one message either way, or none
  kStreaming,  ///< with more
};

inline constexpr uint8_t kNoGrpcStatus = 255;

/// Who made a call on a socket, by ids of the initial namespace; zeros where nobody did.
struct Caller {
  uint32_t process = 0;
  uint32_t thread = 0;
  uint64_t stopped_ns = 0;  ///< that the process's JVM had stood still until then, and one; 0: not known
};

/// A request and what became of it. Times are of CLOCK_MONOTONIC.
struct Exchange {
  uint32_t container = 0;
  uint64_t received_ns = 0;  ///< the call was over by which its head was read
  Caller receiver;           ///< who read its head
  Caller sender;             ///< who sent the last of the answer; nobody if the connection ended
  uint64_t started_ns = 0;   ///< the request's first byte reached the socket
  uint64_t latency_ns = 0;   ///< until the response's last byte was given to the kernel
  Method method = Method::kOther;
  std::string path;
  uint16_t status = 0;  ///< 0 if no response was begun, or what it said is not known
  Rpc rpc = Rpc::kNone;
  uint8_t grpc_status = kNoGrpcStatus;  ///< of a call; kNoGrpcStatus if it was not said, or is not known
  Outcome outcome = Outcome::kCompleted;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  std::optional<TraceParent> trace_parent;  ///< as the client sent it
};

/// A request that is not answered yet.
struct OpenRequest {
  uint32_t container;
  Caller receiver;
  uint64_t received_ns;
};

/// What could not be read as HTTP, and what was done about it.
struct HttpCounts {
  uint64_t garbage = 0;     ///< bytes where a message was due were none
  uint64_t hidden = 0;      ///< a message may have begun in bytes that nobody copied
  uint64_t given_up = 0;    ///< requests whose responses could not be told apart any more
  uint64_t no_arrival = 0;  ///< requests whose clock starts when they were read
  uint64_t upgraded = 0;    ///< connections that went on in another protocol
  uint64_t too_many = 0;    ///< requests beyond those that may wait on one connection
  uint64_t unasked = 0;     ///< responses without a request: it was before our time
  uint64_t unread = 0;      ///< header blocks of HTTP/2 that were not copied whole, or are none
  uint64_t unnamed =
      0;  ///< requests of HTTP/2 whose path is not known: what it refers to was before our time
};

enum class Ending { kPeerClosed, kClosed, kEnded, kAborted };

/// One connection of a server of HTTP/1: pairs what comes with what goes. Bounded, whatever is sent.
class HttpConnection {
 public:
  explicit HttpConnection(uint32_t container) : container_(container) {}

  struct Call {
    uint64_t time_ns;
    uint64_t arrived_ns;  ///< 0 if not known
    std::string_view bytes;
    uint64_t length;
    bool is_peer_closed;  ///< the client had gone by then
    Caller caller = {};
  };
  void Receive(const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void Send(const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done);
  /// Adds those that are not finished.
  void AddOpen(std::vector<OpenRequest>& open) const;
  /// Records of this connection were lost.
  void Resynchronize(HttpCounts& counts);
  /// Ends an exchange whose last byte nobody can tell, if nothing was sent since.
  void Settle(uint64_t sent_before_ns, std::vector<Exchange>& done);

  /// After a 101 to HTTP/2: the request that is answered there.
  std::optional<Exchange> TakeUpgraded() { return std::exchange(upgraded_, std::nullopt); }

  bool IsIdle() const { return waiting_.empty() && !requests_.IsInHead(); }
  uint64_t LastNs() const { return last_ns_; }
  uint32_t Container() const { return container_; }

 private:
  void BeginRequest(const Call& call, HttpCounts& counts);
  void BeginResponse(const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void EndResponse(uint64_t time_ns, Outcome outcome, std::vector<Exchange>& done, Caller sender = {});
  void EndAll(uint64_t time_ns, Outcome outcome, std::vector<Exchange>& done);
  void EndUnframedResponse(std::vector<Exchange>& done);
  void GiveUp(HttpCounts& counts);
  bool IsOverdue(std::string_view bytes) const;

  uint32_t container_;
  bool is_upgraded_ = false;
  bool is_peer_closed_ = false;
  bool is_answering_ = false;  // the final response of the first waiting request has begun
  uint64_t last_ns_ = 0;
  uint64_t last_sent_ns_ = 0;
  Caller last_sender_;
  uint64_t head_arrived_ns_ = 0;   // of the request whose head is under way
  uint64_t head_bytes_ = 0;        // of it, in calls before
  uint64_t response_bytes_ = 0;    // of heads under way and of informational responses
  std::vector<Exchange> waiting_;  // the oldest first
  std::optional<Exchange> upgraded_;
  MessageReader requests_{Side::kRequests};
  MessageReader responses_{Side::kResponses};
};

}  // namespace flamegate
