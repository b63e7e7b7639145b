#include "transcript.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "frame_text.h"
#include "kernel_part.h"
#include "request_table.h"

namespace flamegate {
namespace {

constexpr uint64_t kMsNs = 1'000'000;
constexpr uint64_t kMinuteNs = 60'000 * kMsNs;
constexpr std::array kMethods = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                 "CONNECT", "OPTIONS", "TRACE", "PATCH", "OTHER"};
constexpr std::array kOutcomes = {"Completed", "ClientGone", "Unfinished", "Reset"};

// Takes a number off the text; nothing if it does not begin with one.
std::optional<uint32_t> TakeNumber(std::string_view& text) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

int HexOf(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  size_t at = kDigits.find(c);
  return at == std::string_view::npos ? 0 : static_cast<int>(at);
}

std::string Unescaped(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes.push_back(text[i]);
      continue;
    }
    switch (text[++i]) {
      case 'r':
        bytes.push_back('\r');
        break;
      case 'n':
        bytes.push_back('\n');
        break;
      case 'x':
        if (i + 2 < text.size())
          bytes.push_back(static_cast<char>(HexOf(text[i + 1]) * 16 + HexOf(text[i + 2])));
        i += 2;
        break;
      default:
        bytes.push_back(text[i]);
    }
  }
  return bytes;
}

// `GET / HTTP/1.1\r\n`, or frames, perhaps behind a length.
std::optional<TranscriptEvent> CallOf(fg_socket_event event, bool is_framed, std::string_view text) {
  std::optional<uint32_t> length;
  if (Take(text, "[")) {
    length = TakeNumber(text);
    Take(text, "]");
  }
  size_t brace = is_framed ? text.find('{') : std::string_view::npos;
  std::optional<std::string> frames = "";
  if (brace != std::string_view::npos) frames = FramesOf(text.substr(brace));
  if (!frames) return std::nullopt;
  std::string bytes = Unescaped(text.substr(0, brace)) + *frames;
  TranscriptEvent call = {event, std::move(bytes), 0, 0, false, false, is_framed};
  call.length = std::max(length.value_or(0), static_cast<uint32_t>(call.bytes.size()));
  if (!is_framed) call.bytes.resize(std::min<size_t>(call.bytes.size(), FG_CAPTURED_BYTES));
  return call;
}

std::optional<fg_socket_event> EndingOf(std::string_view text) {
  if (text == "peer closed") return FG_SOCKET_PEER_CLOSED;
  if (text == "closed") return FG_SOCKET_CLOSED;
  if (text == "ended") return FG_SOCKET_ENDED;
  if (text == "aborted") return FG_SOCKET_ABORTED;
  return std::nullopt;
}

// What lines behind "! " say of the event after them.
struct Turn {
  uint32_t lost = 0;
  bool is_pause = false;
  bool is_new_socket = false;
  bool is_dropped = false;
};

void Add(TranscriptEvent event, uint32_t times, Turn& turn, Transcript& transcript) {
  event.lost = turn.lost;
  event.is_after_pause = turn.is_pause;
  event.is_of_new_socket = turn.is_new_socket;
  event.is_dropped = turn.is_dropped;
  turn = {};
  transcript.events.push_back(event);
  event.lost = 0;
  event.is_after_pause = event.is_of_new_socket = false;
  transcript.events.insert(transcript.events.end(), times - 1, event);
}

// The line behind "! ".
bool AddTurn(std::string_view text, Turn& turn, Transcript& transcript) {
  if (Take(text, "lost ")) {
    turn.lost = TakeNumber(text).value_or(1);
    return true;
  }
  if (text == "settled") return transcript.is_settled = true;
  if (text == "two minutes") return turn.is_pause = true;
  if (text == "another socket") return turn.is_new_socket = true;
  if (text == "dropped") return turn.is_dropped = true;
  std::optional<fg_socket_event> ending = EndingOf(text);
  if (ending) Add({*ending, {}, 0, 0, false, false}, 1, turn, transcript);
  return ending.has_value();
}

std::string RpcOf(const Exchange& exchange) {
  if (exchange.rpc == Rpc::kNone) return {};
  bool is_known = exchange.grpc_status != kNoGrpcStatus;
  return std::string(exchange.rpc == Rpc::kUnary ? " unary " : " streaming ") +
         (is_known ? std::to_string(exchange.grpc_status) : "?");
}

std::string TraceOf(const Exchange& exchange) {
  if (!exchange.trace_parent) return {};
  return " trace " + std::string(exchange.trace_parent->begin(), exchange.trace_parent->end());
}

std::string LineOf(const Exchange& exchange) {
  auto number = [](uint64_t value) { return std::to_string(value); };
  return std::string(kMethods[static_cast<size_t>(exchange.method)]) + " " +
         (exchange.path.empty() ? "?" : exchange.path) + " " + number(exchange.status) + " " +
         kOutcomes[static_cast<size_t>(exchange.outcome)] + " " + number(exchange.started_ns / kMsNs) + "+" +
         number(exchange.latency_ns / kMsNs) + " in " + number(exchange.bytes_in) + " out " +
         number(exchange.bytes_out) + RpcOf(exchange) + TraceOf(exchange);
}

}  // namespace

Transcript ParseTranscript(std::string_view text) {
  Transcript transcript;
  Turn turn;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::string_view rest = line;
    uint32_t times = TakeNumber(rest).value_or(1);
    if (times != 1 && !Take(rest, " * ")) times = 0;
    if (rest.empty() || Take(rest, "#")) continue;
    if (Take(rest, "= ")) {
      transcript.expected.insert(transcript.expected.end(), times, std::string(rest));
    } else if (Take(rest, "! ")) {
      if (!AddTurn(rest, turn, transcript)) transcript.fault = line;
    } else if (rest.starts_with('>') || rest.starts_with('<')) {
      fg_socket_event event = rest[0] == '>' ? FG_SOCKET_RECEIVED : FG_SOCKET_SENT;
      rest.remove_prefix(1);
      bool is_framed = Take(rest, "2");
      std::optional<TranscriptEvent> call;
      if (Take(rest, " ")) call = CallOf(event, is_framed, rest);
      if (!call) transcript.fault = line;
      if (call && times != 0) Add(*call, times, turn, transcript);
    } else {
      transcript.fault = line;
    }
  }
  return transcript;
}

std::vector<std::string> Replay(const Transcript& transcript, size_t part_bytes) {
  RequestTable table(8, 10'000);
  KernelPart kernel(part_bytes);
  uint64_t now_ns = 0;
  std::vector<std::string> lines;
  auto take = [&] {
    for (const Exchange& exchange : table.Take(now_ns)) lines.push_back(LineOf(exchange));
  };
  for (const TranscriptEvent& event : transcript.events) {
    if (event.is_after_pause) {
      now_ns += 2 * kMinuteNs;
      take();
    }
    if (event.is_of_new_socket) kernel.BeginSocket(now_ns + 1);
    now_ns += kMsNs;
    kernel.LoseRecords(event.lost);
    for (const Record& record : kernel.Happen(event, now_ns)) {
      if (!event.is_dropped) table.Add(record);
    }
  }
  if (transcript.is_settled) now_ns += kMinuteNs;
  take();
  return lines;
}

}  // namespace flamegate
