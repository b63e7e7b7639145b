#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "frame_reader.h"
#include "header_blocks.h"
#include "http_connection.h"
#include "rpc_messages.h"

namespace flamegate {

/// One connection of a server of HTTP/2 (RFC 9113): a request is a stream. Bounded, whatever is sent.
class Http2Connection {
 public:
  explicit Http2Connection(uint32_t container) : container_(container) {}

  struct Call {
    uint64_t time_ns;
    uint64_t arrived_ns;    ///< 0 if not known
    std::string_view runs;  ///< struct fg_run
    uint8_t received;       ///< enum fg_followed, of what comes and of what goes
    uint8_t sent;
    bool is_peer_closed;  ///< the client had gone by then
    Caller caller = {};
  };
  void Receive(const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void Send(const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done);
  /// Adds those that are not finished.
  void AddOpen(std::vector<OpenRequest>& open) const;
  /// A request of HTTP/1.1 that is answered in HTTP/2.
  void Adopt(Exchange request);
  /// Records of this connection were lost.
  void Resynchronize(HttpCounts& counts);

  uint64_t LastNs() const { return last_ns_; }
  /// About what it takes of memory.
  size_t Bytes() const;

 private:
  struct Stream {
    Exchange exchange;
    bool is_rpc = false;
    bool has_status = false;
    RpcMessages in;
    RpcMessages out;
  };
  using Streams = std::map<uint32_t, Stream>;
  struct Direction {
    FrameReader frames;
    HeaderBlocks blocks;
    uint8_t followed = 0;
    void Lose();
  };

  void Join(const Call& call);
  void Leave(const Call& call, HttpCounts& counts);
  static HeaderBlocks::Found AddHeaders(Direction& direction, const Frame& frame, HttpCounts& counts);
  void OnRequestFrame(const Frame& frame, const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void OnResponseFrame(const Frame& frame, const Call& call, std::vector<Exchange>& done, HttpCounts& counts);
  void BeginRequest(const HeaderBlock& block, const Call& call, HttpCounts& counts);
  void ReadResponse(const HeaderBlock& block, const Call& call, std::vector<Exchange>& done,
                    HttpCounts& counts);
  void GoAway(const Frame& frame, uint64_t time_ns, std::vector<Exchange>& done);
  void Finish(Streams::iterator stream, Outcome outcome, uint64_t time_ns, std::vector<Exchange>& done,
              Caller sender = {});
  void GiveUp(HttpCounts& counts);

  uint32_t container_;
  bool is_peer_closed_ = false;
  uint32_t newest_ = 0;  // stream of a request
  uint64_t last_ns_ = 0;
  Streams streams_;
  Direction requests_;
  Direction responses_;
};

}  // namespace flamegate
