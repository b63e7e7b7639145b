#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "requests.h"

namespace flamegate {

/// What the kernel tells of one connection, in the words of test/fixtures/http/README.md.
struct TranscriptEvent {
  fg_socket_event event;
  std::string bytes;
  uint32_t length;
  uint32_t lost;            ///< records before this one that never came
  bool is_after_pause;      ///< two minutes passed before it
  bool is_of_new_socket;    ///< at the same address as the one before, whose end was missed
  bool is_framed = false;   ///< said in frames of HTTP/2
  bool is_dropped = false;  ///< its records never came
};

struct Transcript {
  std::vector<TranscriptEvent> events;
  bool is_settled = false;
  std::vector<std::string> expected;  ///< one line for each exchange, in order
  std::string fault;                  ///< why it could not be read; empty if it could
};

Transcript ParseTranscript(std::string_view text);

/// What RequestTable makes of it, as lines like those expected. The n-th event happens at n ms; calls of
/// HTTP/2 come in parts of `part_bytes`, or in one.
std::vector<std::string> Replay(const Transcript& transcript, size_t part_bytes = 0);

}  // namespace flamegate
