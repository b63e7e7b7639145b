#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "http2_connection.h"
#include "http_connection.h"
#include "requests.h"

namespace flamegate {

struct RequestCounts {
  HttpCounts http;
  uint64_t records = 0;      ///< taken from the ring
  uint64_t malformed = 0;    ///< that made no sense
  uint64_t missed = 0;       ///< that a connection's numbering lacks
  uint64_t no_room = 0;      ///< on connections beyond the bound
  uint64_t exchanges = 0;    ///< finished
  uint64_t not_taken = 0;    ///< and lost, for nobody took them in time
  uint64_t connections = 0;  ///< known now
};

/// Every connection of a node's watched containers, and the exchanges that finished on them. Of HTTP/2 those
/// that are within 64 MB.
class RequestTable {
 public:
  RequestTable(uint32_t max_connections, uint32_t max_exchanges)
      : max_connections_(max_connections), max_exchanges_(max_exchanges) {}

  /// A record of bpf/requests.bpf.c.
  void Add(std::span<const uint8_t> record);
  /// What waits on a container's connections is forgotten.
  void Forget(uint32_t container);
  /// What finished since the last call. Connections on which nothing is under way for a minute are forgotten:
  /// they are met again as if they were new.
  std::vector<Exchange> Take(uint64_t now_ns);
  /// What is not answered now.
  std::vector<OpenRequest> Open() const;
  RequestCounts Counts() const;

 private:
  struct Entry {
    uint64_t born_ns;
    uint32_t next_sequence;
    HttpConnection http1;
    std::unique_ptr<Http2Connection> http2;  // from its first record on, or the upgrade
    size_t http2_bytes = 0;                  // as counted in http2_bytes_

    bool IsForgotten(uint64_t http1_before_ns, uint64_t http2_before_ns) const;
    void End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done);
  };
  Entry* Find(const fg_socket_record_header& header);
  void OnCall(Entry& entry, const fg_socket_record_header& header, std::string_view bytes);
  void OnHttp2Call(Entry& entry, const fg_socket_record_header& header, std::string_view bytes);
  void CountBytes(Entry& entry);
  void Drop(std::unordered_map<uint64_t, Entry>::iterator entry);
  void Keep(std::vector<Exchange>& done);

  uint32_t max_connections_;
  uint32_t max_exchanges_;
  std::unordered_map<uint64_t, Entry> connections_;  // by socket
  size_t http2_bytes_ = 0;
  std::vector<Exchange> finished_;
  std::vector<Exchange> done_;  // of one record
  RequestCounts counts_;
};

}  // namespace flamegate
