#include "http_connection.h"

#include <utility>

namespace flamegate {
namespace {

// Clients that pipeline send a few; an attacker's are not worth their memory.
constexpr size_t kMaxWaiting = 64;

bool BeginsWithRequestLine(std::string_view bytes) {
  return MayBeginRequest(bytes) &&
         bytes.substr(0, bytes.find('\n')).find(" HTTP/1.") != std::string_view::npos;
}

}  // namespace

// situation                                              → what a call's first line means
// a response is being sent whose end cannot be found     → that response is over, a request begins
// the response was given before the body came            → a request begins
// a request's body is being read whose end cannot be
//   found, no response has begun                         → more of the body
// otherwise                                              → framing decides
void HttpConnection::Receive(const Call& call, std::vector<Exchange>& done, HttpCounts& counts) {
  last_ns_ = call.time_ns;
  if (is_upgraded_) return;
  bool is_turn = is_answering_ || waiting_.empty();
  if (is_answering_ && (responses_.IsUnframed() || responses_.IsUntilClose()) &&
      MayBeginRequest(call.bytes)) {
    if (requests_.IsUnframed() || !requests_.IsInBody()) EndUnframedResponse(done);
  }
  // A body that was announced and never sent, its response notwithstanding.
  if (waiting_.empty() && requests_.IsInBody() && BeginsWithRequestLine(call.bytes)) requests_.Lose();
  std::string_view bytes = requests_.IsUnframed() && !is_turn ? std::string_view() : call.bytes;
  is_peer_closed_ = is_peer_closed_ || call.is_peer_closed;
  requests_.Begin(bytes, call.length);
  uint64_t counted = 0;
  for (bool is_read = false; !is_read;) {
    switch (requests_.Next()) {
      case MessageReader::Found::kHead:
        BeginRequest(call, counts);
        if (!waiting_.empty()) waiting_.back().bytes_in += requests_.Position() - counted;
        counted = requests_.Position();
        break;
      case MessageReader::Found::kEnd:
        if (!waiting_.empty()) waiting_.back().bytes_in += requests_.Position() - counted;
        counted = requests_.Position();
        break;
      case MessageReader::Found::kGarbage:
        counts.garbage++;
        break;
      case MessageReader::Found::kLost:
        counts.hidden++;
        break;
      case MessageReader::Found::kNothing:
        is_read = true;
        break;
    }
  }
  if (requests_.IsInHead()) {
    if (head_arrived_ns_ == 0) head_arrived_ns_ = call.arrived_ns != 0 ? call.arrived_ns : call.time_ns;
    head_bytes_ += call.length - counted;
  } else if (requests_.IsInBody() && !waiting_.empty()) {
    waiting_.back().bytes_in += call.length - counted;
  }
}

void HttpConnection::BeginRequest(const Call& call, HttpCounts& counts) {
  std::optional<RequestHead> head = ParseRequestHead(requests_.Head());
  uint64_t arrived_ns = std::exchange(head_arrived_ns_, 0);
  uint64_t bytes_before = std::exchange(head_bytes_, 0);
  if (!head) {
    counts.garbage++;
    requests_.Lose();
    return;
  }
  requests_.Expect(head->body);
  if (waiting_.size() == kMaxWaiting) {
    counts.too_many++;
    GiveUp(counts);
    return;
  }
  if (arrived_ns == 0) {
    if (call.arrived_ns == 0) counts.no_arrival++;
    arrived_ns = call.arrived_ns != 0 ? call.arrived_ns : call.time_ns;
  }
  Exchange& exchange = waiting_.emplace_back();
  exchange.container = container_;
  exchange.started_ns = arrived_ns;
  exchange.received_ns = call.time_ns;
  exchange.receiver = call.caller;
  exchange.method = head->method;
  exchange.path = std::move(head->path);
  exchange.trace_parent = head->trace_parent;
  exchange.bytes_in = bytes_before;
}

// A body of which something went by ways that nobody listens to (splice, io_uring): the next request has come
// and now its response, although this one should go on.
bool HttpConnection::IsOverdue(std::string_view bytes) const {
  return is_answering_ && waiting_.size() > 1 && responses_.IsInBody() && MayBeginResponse(bytes) &&
         ParseResponseHead(bytes, Method::kOther).has_value();
}

void HttpConnection::Send(const Call& call, std::vector<Exchange>& done, HttpCounts& counts) {
  last_ns_ = call.time_ns;
  if (is_upgraded_) return;
  if (is_answering_ && responses_.IsUnframed() && MayBeginResponse(call.bytes)) EndUnframedResponse(done);
  if (IsOverdue(call.bytes)) {
    counts.hidden++;
    EndUnframedResponse(done);
  }
  responses_.Begin(call.bytes, call.length);
  uint64_t counted = 0;
  auto count_until = [&](uint64_t position) {
    if (is_answering_) {
      waiting_.front().bytes_out += position - counted;
    } else {
      response_bytes_ += position - counted;
    }
    counted = position;
  };
  for (bool is_read = false; !is_read;) {
    switch (responses_.Next()) {
      case MessageReader::Found::kHead:
        count_until(responses_.Position());
        BeginResponse(call, done, counts);
        if (is_upgraded_) return;
        break;
      case MessageReader::Found::kEnd:
        if (!is_answering_) break;
        count_until(responses_.Position());
        EndResponse(call.time_ns, Outcome::kCompleted, done, call.caller);
        break;
      case MessageReader::Found::kGarbage:
        counts.garbage++;
        break;
      case MessageReader::Found::kLost:
        counts.hidden++;
        if (!waiting_.empty()) GiveUp(counts);
        break;
      case MessageReader::Found::kNothing:
        is_read = true;
        break;
    }
  }
  last_sent_ns_ = call.time_ns;
  last_sender_ = call.caller;
  if (is_answering_ || responses_.IsInHead()) count_until(call.length);
  // The next response may begin where nobody sees it.
  if (responses_.IsUnframed() && waiting_.size() > 1) GiveUp(counts);
}

void HttpConnection::BeginResponse(const Call& call, std::vector<Exchange>& done, HttpCounts& counts) {
  Method method = waiting_.empty() ? Method::kOther : waiting_.front().method;
  std::optional<ResponseHead> head = ParseResponseHead(responses_.Head(), method);
  if (!head) {
    counts.garbage++;
    responses_.Lose();
    return;
  }
  bool is_whole = responses_.Expect(head->body);
  bool is_final = head->status >= 200 || head->status == 101;
  if (waiting_.empty()) {
    counts.unasked++;
    response_bytes_ = 0;
    // Of a request we did not see the method may have been HEAD.
    if (is_final) responses_.Lose();
    return;
  }
  if (!is_final) return;
  is_answering_ = true;
  waiting_.front().status = head->status;
  waiting_.front().bytes_out = std::exchange(response_bytes_, 0);
  if (head->body.framing == Framing::kTunnel) {
    counts.upgraded++;
    is_upgraded_ = true;
    if (head->is_h2c) {
      upgraded_ = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
      GiveUp(counts);
      return;
    }
    EndResponse(call.time_ns, Outcome::kCompleted, done, call.caller);
    GiveUp(counts);
  } else if (is_whole) {
    EndResponse(call.time_ns, Outcome::kCompleted, done, call.caller);
  }
}

void HttpConnection::EndResponse(uint64_t time_ns, Outcome outcome, std::vector<Exchange>& done,
                                 Caller sender) {
  Exchange& exchange = waiting_.front();
  exchange.sender = sender;
  // A client that has said good-bye waits for no answer.
  exchange.outcome = outcome == Outcome::kCompleted && is_peer_closed_ ? Outcome::kClientGone : outcome;
  exchange.latency_ns = time_ns > exchange.started_ns ? time_ns - exchange.started_ns : 0;
  done.push_back(std::move(exchange));
  waiting_.erase(waiting_.begin());
  is_answering_ = false;
}

void HttpConnection::EndUnframedResponse(std::vector<Exchange>& done) {
  EndResponse(last_sent_ns_, Outcome::kCompleted, done, last_sender_);
  responses_.Lose();
}

void HttpConnection::EndAll(uint64_t time_ns, Outcome outcome, std::vector<Exchange>& done) {
  while (!waiting_.empty()) EndResponse(time_ns, outcome, done);
}

// the connection is     → what waits becomes
// closed by the peer    → nothing yet: it may have half-closed; Completed if the response's end cannot be
// told closed by the server  → Completed if the close is the response's end, or that cannot be told;
//                         else ClientGone if the client went first, else Unfinished
// aborted               → Completed only if the response's end cannot be told; else Reset
void HttpConnection::End(Ending ending, uint64_t time_ns, std::vector<Exchange>& done) {
  last_ns_ = time_ns;
  if (ending == Ending::kPeerClosed) {
    if (is_answering_ && responses_.IsUnframed()) EndUnframedResponse(done);
    is_peer_closed_ = true;
    return;
  }
  bool is_aborted = ending == Ending::kAborted;
  bool is_over = responses_.IsUnframed() || (responses_.IsUntilClose() && !is_aborted);
  if (is_answering_ && is_over) EndUnframedResponse(done);
  EndAll(time_ns,
         is_aborted        ? Outcome::kReset
         : is_peer_closed_ ? Outcome::kClientGone
                           : Outcome::kUnfinished,
         done);
}

void HttpConnection::AddOpen(std::vector<OpenRequest>& open) const {
  for (const Exchange& one : waiting_) open.push_back({container_, one.receiver, one.received_ns});
}

void HttpConnection::Settle(uint64_t sent_before_ns, std::vector<Exchange>& done) {
  if (is_answering_ && responses_.IsUnframed() && last_sent_ns_ < sent_before_ns) EndUnframedResponse(done);
}

void HttpConnection::GiveUp(HttpCounts& counts) {
  counts.given_up += waiting_.size();
  waiting_.clear();
  is_answering_ = false;
  head_arrived_ns_ = 0;
  head_bytes_ = 0;
  response_bytes_ = 0;
  requests_.Lose();
  responses_.Lose();
}

void HttpConnection::Resynchronize(HttpCounts& counts) {
  GiveUp(counts);
}

}  // namespace flamegate
