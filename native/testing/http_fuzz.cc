// Mutates the transcripts named behind SEED and SECONDS, and replays them under the sanitizers of address and
// undefined behaviour, which end the program at the first fault. What any input must keep is checked here.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "http_head.h"
#include "transcript.h"

namespace flamegate {
namespace {

using Random = std::mt19937;

constexpr const char* kFragments[] = {"GET ",
                                      "POST /a",
                                      " HTTP/1.1\r\n",
                                      "\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\n",
                                      "Content-Length: 5\r\n",
                                      "Content-Length: 99999999999999999\r\n",
                                      "Transfer-Encoding: chunked\r\n",
                                      "0\r\n\r\n",
                                      "ffffffffffffffff\r\n",
                                      "101 x\r\n",
                                      "\n",
                                      "%",
                                      "://",
                                      "?",
                                      "Connection: close\r\n",
                                      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                      "Upgrade: h2c\r\n"};
// Of HTTP/2: SETTINGS, HEADERS of a request and of a response, a reset, a header that never ends.
constexpr std::string_view kFrames[] = {
    {"\0\0\0\4\0\0\0\0\0", 9},       {"\0\0\4\1\5\0\0\0\1\x82\x84\x86\xbe", 13},
    {"\0\0\1\1\5\0\0\0\1\x88", 10},  {"\0\0\4\3\0\0\0\0\1\0\0\0\0", 13},
    {"\xff\xff\xff\1\0\0\0\0\3", 9}, {"\0\0\7\11\4\0\0\0\1\x3f\xff\xff\xff\xff\xff\x7f", 16},
};
constexpr size_t kMostBytes = 4 * FG_CAPTURED_BYTES;

size_t Below(Random& random, size_t bound) {
  return bound == 0 ? 0 : random() % bound;
}

void MutateBytes(Random& random, std::string& bytes) {
  size_t at = Below(random, bytes.size() + 1);
  switch (random() % 6) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    case 1:
      bytes.resize(at);
      break;
    case 2:
      bytes.insert(at, kFragments[Below(random, std::size(kFragments))]);
      break;
    case 3:
      bytes.erase(at, Below(random, 20));
      break;
    case 4:
      bytes.insert(at, bytes.substr(Below(random, bytes.size()), 200));
      break;
    case 5:
      bytes.insert(at, kFrames[Below(random, std::size(kFrames))]);
      break;
  }
  bytes.resize(std::min(bytes.size(), kMostBytes));
}

// Splits a call in two, where the application may as well have read less.
void Split(Random& random, std::vector<TranscriptEvent>& events, size_t index) {
  TranscriptEvent rest = events[index];
  size_t at = Below(random, events[index].bytes.size() + 1);
  if (at == 0 || at >= events[index].length) return;
  events[index].bytes.resize(at);
  events[index].length = static_cast<uint32_t>(at);
  rest.bytes.erase(0, at);
  rest.length -= static_cast<uint32_t>(at);
  events.insert(events.begin() + static_cast<ptrdiff_t>(index) + 1, rest);
}

void Mutate(Random& random, const std::vector<Transcript>& corpus, Transcript& transcript) {
  std::vector<TranscriptEvent>& events = transcript.events;
  if (events.empty() || events.size() > 200) return;
  size_t index = Below(random, events.size());
  TranscriptEvent& event = events[index];
  switch (random() % 11) {
    case 0:
      events.erase(events.begin() + static_cast<ptrdiff_t>(index));
      return;
    case 1: {
      const std::vector<TranscriptEvent>& other = corpus[Below(random, corpus.size())].events;
      events.insert(events.begin() + static_cast<ptrdiff_t>(index), other.begin(), other.end());
      return;
    }
    case 2:
      Split(random, events, index);
      return;
    case 3:
      event.event = static_cast<fg_socket_event>(random() % 8);
      return;
    case 4:
      event.lost = random() % 3;
      return;
    case 6:
      event.is_after_pause = !event.is_after_pause;
      return;
    case 7:
      event.is_of_new_socket = !event.is_of_new_socket;
      return;
    case 8:
      event.is_dropped = !event.is_dropped;
      return;
    case 5:
      event.length = random();
      break;
    default:
      MutateBytes(random, event.bytes);
  }
  event.length = std::max(event.length, static_cast<uint32_t>(event.bytes.size()));
}

[[noreturn]] void Fail(const char* what, const std::vector<std::string>& lines) {
  fprintf(stderr, "%s:\n", what);
  for (const std::string& line : lines) fprintf(stderr, "  %s\n", line.c_str());
  abort();
}

bool IsEnd(fg_socket_event event) {
  return event == FG_SOCKET_ENDED || event == FG_SOCKET_ABORTED;
}

// Whatever parts a call comes in, it is the same call, where all of it can be read. After an end that nobody
// is told of, the kernel's part begins anew under the name of before, which no socket has twice.
void ExpectSameInParts(const Transcript& transcript, const std::vector<std::string>& lines) {
  for (const TranscriptEvent& event : transcript.events) {
    if (event.length != event.bytes.size() || (event.is_dropped && IsEnd(event.event))) return;
  }
  std::vector<std::string> whole = Replay(transcript);
  if (whole == lines) return;
  whole.push_back("and in parts");
  whole.insert(whole.end(), lines.begin(), lines.end());
  Fail("not the same in parts", whole);
}

// Whatever came before, the next connection is read as if nothing had been.
void ExpectRecovery(Transcript transcript, size_t part_bytes) {
  transcript.events.push_back({FG_SOCKET_ENDED, {}, 0, 0, false, false});
  std::string request = "GET /next HTTP/1.1\r\n\r\n";
  std::string response = "HTTP/1.1 204 No Content\r\n\r\n";
  transcript.events.push_back(
      {FG_SOCKET_RECEIVED, request, static_cast<uint32_t>(request.size()), 0, false, false});
  transcript.events.push_back(
      {FG_SOCKET_SENT, response, static_cast<uint32_t>(response.size()), 0, false, false});
  std::vector<std::string> lines = Replay(transcript, part_bytes);
  ExpectSameInParts(transcript, lines);
  if (!lines.empty() && lines.back().starts_with("GET /next 204 Completed")) {
    for (const std::string& line : lines) {
      bool is_readable = line.size() < kMaxPathBytes + 120;
      for (char c : line) is_readable = is_readable && c >= ' ' && c < 0x7f;
      if (!is_readable) Fail("a line that cannot be", {line});
    }
    return;
  }
  Fail("the next request is not read", lines);
}

}  // namespace
}  // namespace flamegate

int main(int count, char** arguments) {
  using namespace flamegate;
  if (count < 4) return 2;
  Random random(static_cast<uint32_t>(strtoul(arguments[1], nullptr, 10)));
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(strtoul(arguments[2], nullptr, 10));
  std::vector<Transcript> corpus;
  for (int i = 3; i < count; i++) {
    std::ifstream file(arguments[i], std::ios::binary);
    corpus.push_back(
        ParseTranscript(std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>())));
  }
  uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; runs++) {
    Transcript transcript = corpus[Below(random, corpus.size())];
    for (size_t i = 1 + Below(random, 8); i > 0; i--) Mutate(random, corpus, transcript);
    ExpectRecovery(transcript, Below(random, 20));
  }
  printf("%llu inputs\n", static_cast<unsigned long long>(runs));
  return 0;
}
