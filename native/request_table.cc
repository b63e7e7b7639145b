#include "request_table.h"

#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "requests.h"

namespace flamegate {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
// A response whose end cannot be found is over when nothing was sent for so long.
constexpr uint64_t kSettleNs = 5 * kSecondNs;
constexpr uint64_t kForgetNs = 60 * kSecondNs;

std::optional<Ending> EndingOf(uint16_t event) {
  switch (event) {
    case FG_SOCKET_PEER_CLOSED:
      return Ending::kPeerClosed;
    case FG_SOCKET_CLOSED:
      return Ending::kClosed;
    case FG_SOCKET_ENDED:
      return Ending::kEnded;
    case FG_SOCKET_ABORTED:
      return Ending::kAborted;
    default:
      return std::nullopt;
  }
}

}  // namespace

// Null if there is no room. One socket follows another at the same address.
HttpConnection* RequestTable::Find(uint64_t socket, uint64_t born_ns, uint32_t sequence, uint32_t container) {
  auto found = connections_.find(socket);
  if (found != connections_.end() && found->second.born_ns != born_ns) {
    found->second.connection.End(Ending::kEnded, born_ns, done_);
    connections_.erase(found);
    found = connections_.end();
  }
  if (found == connections_.end()) {
    if (connections_.size() >= max_connections_) {
      counts_.no_room++;
      return nullptr;
    }
    found = connections_.emplace(socket, Entry{born_ns, sequence, HttpConnection(container)}).first;
  }
  Entry& entry = found->second;
  uint32_t missed = sequence - entry.next_sequence;
  entry.next_sequence = sequence + 1;
  if (missed != 0) {
    counts_.missed += missed;
    entry.connection.Resynchronize(counts_.http);
  }
  return &entry.connection;
}

void RequestTable::Add(std::span<const uint8_t> record) {
  counts_.records++;
  fg_socket_record_header header;
  if (record.size() < sizeof(header)) {
    counts_.malformed++;
    return;
  }
  memcpy(&header, record.data(), sizeof(header));
  std::optional<Ending> ending = EndingOf(header.event);
  bool is_call = header.event == FG_SOCKET_RECEIVED || header.event == FG_SOCKET_SENT;
  if (header.version != FG_REQUESTS_ABI_VERSION || !(is_call || ending) ||
      record.size() - sizeof(header) < header.captured || header.captured > header.length) {
    counts_.malformed++;
    return;
  }
  HttpConnection* connection = Find(header.socket, header.born_ns, header.sequence, header.container);
  if (connection != nullptr) {
    auto* bytes = reinterpret_cast<const char*>(record.data()) + sizeof(header);
    HttpConnection::Call call = {header.time_ns,
                                 header.arrived_ns,
                                 {bytes, header.captured},
                                 header.length,
                                 header.is_peer_closed != 0};
    if (header.event == FG_SOCKET_RECEIVED) connection->Receive(call, done_, counts_.http);
    if (header.event == FG_SOCKET_SENT) connection->Send(call, done_, counts_.http);
    if (ending) connection->End(*ending, header.time_ns, done_);
    bool is_gone = ending == Ending::kEnded || ending == Ending::kAborted;
    if (is_gone) connections_.erase(header.socket);
  }
  Keep(done_);
}

void RequestTable::Keep(std::vector<Exchange>& done) {
  for (Exchange& exchange : done) {
    counts_.exchanges++;
    if (finished_.size() >= max_exchanges_) {
      counts_.not_taken++;
      continue;
    }
    finished_.push_back(std::move(exchange));
  }
  done.clear();
}

void RequestTable::Forget(uint32_t container) {
  std::erase_if(connections_,
                [&](const auto& entry) { return entry.second.connection.Container() == container; });
}

std::vector<Exchange> RequestTable::Take(uint64_t now_ns) {
  uint64_t settled_ns = now_ns > kSettleNs ? now_ns - kSettleNs : 0;
  uint64_t forgotten_ns = now_ns > kForgetNs ? now_ns - kForgetNs : 0;
  for (auto at = connections_.begin(); at != connections_.end();) {
    HttpConnection& connection = at->second.connection;
    connection.Settle(settled_ns, done_);
    bool is_forgotten = connection.IsIdle() && connection.LastNs() < forgotten_ns;
    at = is_forgotten ? connections_.erase(at) : std::next(at);
  }
  Keep(done_);
  return std::exchange(finished_, {});
}

RequestCounts RequestTable::Counts() const {
  RequestCounts counts = counts_;
  counts.connections = connections_.size();
  return counts;
}

}  // namespace flamegate
