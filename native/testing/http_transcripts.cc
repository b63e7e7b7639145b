// Replays the transcripts named on the command line, with calls in one part and in many. Prints what came out
// otherwise than expected, and how many did.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "transcript.h"

namespace {

std::string TextOf(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool Holds(const char* path) {
  flamegate::Transcript transcript = flamegate::ParseTranscript(TextOf(path));
  if (!transcript.fault.empty() || transcript.events.empty()) {
    printf("%s: no transcript: %s\n", path, transcript.fault.c_str());
    return false;
  }
  for (size_t part_bytes : {0, 1, 11}) {
    std::vector<std::string> lines = flamegate::Replay(transcript, part_bytes);
    if (lines == transcript.expected) continue;
    printf("%s, in parts of %zu:\n", path, part_bytes);
    for (const std::string& line : lines) printf("= %s\n", line.c_str());
    return false;
  }
  return true;
}

}  // namespace

int main(int count, char** paths) {
  int failures = 0;
  for (int i = 1; i < count; i++) failures += Holds(paths[i]) ? 0 : 1;
  printf("%d of %d failed\n", failures, count - 1);
  return failures == 0 ? 0 : 1;
}
