// Replays the transcripts named on the command line. Prints what came out otherwise than expected, and how
// many did.
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
  std::vector<std::string> lines = flamegate::Replay(transcript);
  if (lines == transcript.expected) return true;
  printf("%s:\n", path);
  for (const std::string& line : lines) printf("= %s\n", line.c_str());
  return false;
}

}  // namespace

int main(int count, char** paths) {
  int failures = 0;
  for (int i = 1; i < count; i++) failures += Holds(paths[i]) ? 0 : 1;
  printf("%d of %d failed\n", failures, count - 1);
  return failures == 0 ? 0 : 1;
}
