// Decodes numbers: `unsigned5 EXCLUDED BYTES` prints those that the bytes, in hexadecimal, hold one after the
// other.
#include "unsigned5.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: unsigned5 EXCLUDED BYTES\n", stderr);
    return 2;
  }
  std::string text = argv[2];
  std::vector<uint8_t> bytes;
  for (size_t at = 0; at + 2 <= text.size(); at += 2) {
    bytes.push_back(static_cast<uint8_t>(strtoul(text.substr(at, 2).c_str(), nullptr, 16)));
  }
  flamegate::Unsigned5Reader reader(bytes, 0, static_cast<uint32_t>(atoi(argv[1])));
  while (reader.Position() < bytes.size()) {
    uint32_t value = reader.Next();
    if (reader.Failed()) break;
    printf("%" PRIu32 "\n", value);
  }
}
