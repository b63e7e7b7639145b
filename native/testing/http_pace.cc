// Replays a keep-alive connection's exchanges, COUNT of them, and prints the nanoseconds that each took: what
// user space does for a request.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

}  // namespace

int main(int count, char** arguments) {
  uint32_t exchanges = count > 1 ? static_cast<uint32_t>(strtoul(arguments[1], nullptr, 10)) : 0;
  std::vector<uint8_t> request = RecordOf(FG_SOCKET_RECEIVED, kRequest);
  std::vector<uint8_t> response = RecordOf(FG_SOCKET_SENT, kResponse);
  flamegate::RequestTable table(16, 1000);
  size_t finished = 0;
  auto started = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < exchanges; i++) {
    Number(request, 2 * i);
    Number(response, 2 * i + 1);
    table.Add(request);
    table.Add(response);
    if (i % 1000 == 999) finished += table.Take(1).size();
  }
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - started;
  printf("%.0f %zu\n", took.count() / exchanges, finished);
  return 0;
}
