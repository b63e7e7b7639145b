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
// The tables of HPACK cannot be met again: what they hold is not repeated as long as the connection lives.
constexpr uint64_t kForgetHttp2Ns = 24 * 3600 * kSecondNs;
// A connection takes 3 to 10 KB, with a browser's table 60.
constexpr size_t kMaxHttp2Bytes = 64 << 20;

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
RequestTable::Entry* RequestTable::Find(const fg_socket_record_header& header) {
  auto found = connections_.find(header.socket);
  if (found != connections_.end() && found->second.born_ns != header.born_ns) {
    found->second.End(Ending::kEnded, header.born_ns, done_);
    Drop(found);
    found = connections_.end();
  }
  if (found == connections_.end()) {
    if (connections_.size() >= max_connections_) {
      counts_.no_room++;
      return nullptr;
    }
    Entry fresh = {header.born_ns, header.sequence, HttpConnection(header.container), nullptr, 0};
    found = connections_.emplace(header.socket, std::move(fresh)).first;
    // Of a connection that was forgotten, or that lost its first records, the tables are not known.
    if (header.is_http2 != 0 && header.sequence != 0) {
      found->second.http2 = std::make_unique<Http2Connection>(header.container);
      found->second.http2->Resynchronize(counts_.http);
    }
  }
  Entry& entry = found->second;
  uint32_t missed = header.sequence - entry.next_sequence;
  entry.next_sequence = header.sequence + 1;
  if (missed != 0) {
    counts_.missed += missed;
    entry.http1.Resynchronize(counts_.http);
    if (entry.http2) entry.http2->Resynchronize(counts_.http);
  }
  return &entry;
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
      record.size() - sizeof(header) < header.captured ||
      (header.is_http2 == 0 && header.captured > header.length)) {
    counts_.malformed++;
    return;
  }
  if (Entry* entry = Find(header); entry != nullptr) {
    std::string_view bytes(reinterpret_cast<const char*>(record.data()) + sizeof(header), header.captured);
    if (ending) entry->End(*ending, header.time_ns, done_);
    if (is_call && header.is_http2 != 0) OnHttp2Call(*entry, header, bytes);
    if (is_call && header.is_http2 == 0) OnCall(*entry, header, bytes);
    CountBytes(*entry);
    bool is_gone = ending == Ending::kEnded || ending == Ending::kAborted;
    if (is_gone) Drop(connections_.find(header.socket));
  }
  Keep(done_);
}

void RequestTable::OnCall(Entry& entry, const fg_socket_record_header& header, std::string_view bytes) {
  HttpConnection::Call call = {
      header.time_ns, header.arrived_ns,          bytes,
      header.length,  header.is_peer_closed != 0, {header.process, header.thread, header.stopped_ns}};
  if (header.event == FG_SOCKET_RECEIVED) {
    entry.http1.Receive(call, done_, counts_.http);
    return;
  }
  entry.http1.Send(call, done_, counts_.http);
  std::optional<Exchange> upgraded = entry.http1.TakeUpgraded();
  if (!upgraded) return;
  entry.http2 = std::make_unique<Http2Connection>(header.container);
  entry.http2->Adopt(std::move(*upgraded));
}

void RequestTable::OnHttp2Call(Entry& entry, const fg_socket_record_header& header, std::string_view bytes) {
  if (!entry.http2) entry.http2 = std::make_unique<Http2Connection>(header.container);
  Http2Connection::Call call = {header.time_ns,
                                header.arrived_ns,
                                bytes,
                                header.received,
                                header.sent,
                                header.is_peer_closed != 0,
                                {header.process, header.thread, header.stopped_ns}};
  if (header.event == FG_SOCKET_RECEIVED) {
    entry.http2->Receive(call, done_, counts_.http);
  } else {
    entry.http2->Send(call, done_, counts_.http);
  }
}

void RequestTable::CountBytes(Entry& entry) {
  auto count = [&] {
    size_t bytes = entry.http2 ? entry.http2->Bytes() : 0;
    http2_bytes_ += bytes - std::exchange(entry.http2_bytes, bytes);
  };
  count();
  if (http2_bytes_ <= kMaxHttp2Bytes || !entry.http2) return;
  counts_.no_room++;
  entry.http2->Resynchronize(counts_.http);
  count();
}

bool RequestTable::Entry::IsForgotten(uint64_t http1_before_ns, uint64_t http2_before_ns) const {
  if (http2) return http2->LastNs() < http2_before_ns;
  return http1.IsIdle() && http1.LastNs() < http1_before_ns;
}

void RequestTable::Entry::End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done) {
  http1.End(ending, time_ns, done);
  if (http2) http2->End(ending, time_ns, done);
}

void RequestTable::Drop(std::unordered_map<uint64_t, Entry>::iterator entry) {
  http2_bytes_ -= entry->second.http2_bytes;
  connections_.erase(entry);
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
  for (auto at = connections_.begin(); at != connections_.end();) {
    auto next = std::next(at);
    if (at->second.http1.Container() == container) Drop(at);
    at = next;
  }
}

std::vector<Exchange> RequestTable::Take(uint64_t now_ns) {
  auto ago = [now_ns](uint64_t ns) { return now_ns > ns ? now_ns - ns : 0; };
  for (auto at = connections_.begin(); at != connections_.end();) {
    auto next = std::next(at);
    at->second.http1.Settle(ago(kSettleNs), done_);
    if (at->second.IsForgotten(ago(kForgetNs), ago(kForgetHttp2Ns))) {
      if (at->second.http2) at->second.http2->Resynchronize(counts_.http);
      Drop(at);
    }
    at = next;
  }
  Keep(done_);
  return std::exchange(finished_, {});
}

std::vector<OpenRequest> RequestTable::Open() const {
  std::vector<OpenRequest> open;
  for (const auto& [socket, entry] : connections_) {
    entry.http1.AddOpen(open);
    if (entry.http2) entry.http2->AddOpen(open);
  }
  return open;
}

RequestCounts RequestTable::Counts() const {
  RequestCounts counts = counts_;
  counts.connections = connections_.size();
  return counts;
}

}  // namespace flamegate
