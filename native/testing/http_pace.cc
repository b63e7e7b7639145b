// Replays the exchanges of one connection, COUNT of them, by HTTP/1.1 and as calls of gRPC, and prints the
// nanoseconds that each took: what user space does for a request.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "request_table.h"
#include "requests.h"

namespace {

constexpr std::string_view kRequest =
    "GET /orders/4711?lines=3 HTTP/1.1\r\nHost: orders.shop.svc.cluster.local:8080\r\nUser-Agent: "
    "ktor-client\r\n"
    "Accept: application/json\r\nAccept-Charset: UTF-8\r\nX-Request-Id: "
    "0f8fad5b-d9cb-469f-a165-70867728950e\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
    "{\"id\":4711,\"sum\":12}";

// As an encoder says them that has said them before: numbers of the table only.
constexpr std::string_view kFirstFields =
    "\x83\x86\x44\x10/shop.Orders/Get\x41\x06orders\x5f\x10"
    "application/grpc\x40\x02te\x08trailers";
constexpr std::string_view kFields = "\x83\x86\xc1\xc0\xbf\xbe";
constexpr std::string_view kFirstTrailers = "\x40\x0bgrpc-status\x01\x30";

std::vector<uint8_t> RecordOf(fg_socket_event event, std::string_view bytes) {
  fg_socket_record_header header = {};
  header.version = FG_REQUESTS_ABI_VERSION;
  header.event = static_cast<uint16_t>(event);
  header.socket = 1;
  header.born_ns = 1;
  header.length = header.captured = static_cast<uint32_t>(bytes.size());
  std::vector<uint8_t> record(sizeof(header) + bytes.size());
  memcpy(record.data(), &header, sizeof(header));
  memcpy(record.data() + sizeof(header), bytes.data(), bytes.size());
  return record;
}

void Number(std::vector<uint8_t>& record, uint32_t sequence) {
  memcpy(record.data() + offsetof(fg_socket_record_header, sequence), &sequence, sizeof(sequence));
}

std::string RunOf(std::string_view bytes, uint32_t moved, bool is_header) {
  fg_run run = {is_header ? 1u : 0u, moved, static_cast<uint16_t>(bytes.size()), is_header};
  std::string text(reinterpret_cast<const char*>(&run), sizeof(run));
  text.append(bytes);
  text.append(FG_RUN_FILLED(bytes.size()) - bytes.size(), '\0');
  return text;
}

// Of which `payload` is what was copied.
std::string FrameOf(fg_frame_type type, uint8_t flags, uint32_t stream, std::string_view payload,
                    uint32_t length) {
  std::string head;
  for (int shift : {16, 8, 0}) head.push_back(static_cast<char>(length >> shift));
  head.append({static_cast<char>(type), static_cast<char>(flags)});
  for (int shift : {24, 16, 8, 0}) head.push_back(static_cast<char>(stream >> shift));
  return RunOf(head, FG_FRAME_HEADER_BYTES, true) + RunOf(payload, length, false);
}

std::string HeadersOf(uint8_t flags, uint32_t stream, std::string_view block) {
  return FrameOf(FG_FRAME_HEADERS, flags, stream, block, static_cast<uint32_t>(block.size()));
}

std::vector<uint8_t> Http2RecordOf(fg_socket_event event, std::string_view runs) {
  std::vector<uint8_t> record = RecordOf(event, runs);
  auto* header = reinterpret_cast<fg_socket_record_header*>(record.data());
  header->is_http2 = 1;
  header->received = header->sent = FG_FOLLOWED_WHOLE;
  return record;
}

struct Pace {
  double ns;
  size_t finished;
};

template <typename Record>
Pace PaceOf(uint32_t exchanges, Record record) {
  flamegate::RequestTable table(16, 1000);
  size_t finished = 0;
  auto started = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < exchanges; i++) {
    for (fg_socket_event event : {FG_SOCKET_RECEIVED, FG_SOCKET_SENT}) {
      std::vector<uint8_t>& one = record(i, event);
      Number(one, 2 * i + (event == FG_SOCKET_SENT));
      table.Add(one);
    }
    if (i % 1000 == 999) finished += table.Take(1).size();
  }
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - started;
  return {took.count() / exchanges, finished};
}

Pace PaceOfHttp1(uint32_t exchanges) {
  std::vector<uint8_t> request = RecordOf(FG_SOCKET_RECEIVED, kRequest);
  std::vector<uint8_t> response = RecordOf(FG_SOCKET_SENT, kResponse);
  return PaceOf(exchanges, [&](uint32_t, fg_socket_event event) -> std::vector<uint8_t>& {
    return event == FG_SOCKET_RECEIVED ? request : response;
  });
}

// Every exchange is a stream of its own, so records are made anew: that is a part of the time.
Pace PaceOfGrpc(uint32_t exchanges) {
  constexpr uint8_t kEnds = 0x5;
  std::vector<uint8_t> record;
  return PaceOf(exchanges, [&](uint32_t i, fg_socket_event event) -> std::vector<uint8_t>& {
    uint32_t stream = 2 * i + 1;
    std::string message =
        FrameOf(FG_FRAME_DATA, event == FG_SOCKET_RECEIVED, stream, {"\0\0\0\0\x1eM", 6}, 35);
    if (event == FG_SOCKET_RECEIVED) {
      record = Http2RecordOf(event, HeadersOf(0x4, stream, i == 0 ? kFirstFields : kFields) + message);
    } else {
      record = Http2RecordOf(event, HeadersOf(0x4, stream, "\x88") + message +
                                        HeadersOf(kEnds, stream, i == 0 ? kFirstTrailers : "\xbe"));
    }
    return record;
  });
}

}  // namespace

int main(int count, char** arguments) {
  uint32_t exchanges = count > 1 ? static_cast<uint32_t>(strtoul(arguments[1], nullptr, 10)) : 0;
  Pace http1 = PaceOfHttp1(exchanges);
  Pace grpc = PaceOfGrpc(exchanges);
  printf("%.0f %zu %.0f %zu\n", http1.ns, http1.finished, grpc.ns, grpc.finished);
  return 0;
}
