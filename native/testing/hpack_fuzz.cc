// Mutates the header blocks of the connections named behind SEED and SECONDS, a line of hexadecimal each, and
// reads them under the sanitizers of address and undefined behaviour, which end the program at the first
// fault. What any block must keep is checked here.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "header_table.h"
#include "hpack.h"
#include "http_head.h"

namespace flamegate {
namespace {

using Random = std::mt19937;
using Blocks = std::vector<std::string>;

// A field of the table, the newest of ours, the table's size, a name and value by Huffman's code, numbers
// without end.
constexpr std::string_view kFragments[] = {
    "\x82",
    "\xbe",
    "\x20",
    "\x3f\xe1\x1f",
    "\x44\x02/a",
    {"\x40\x01x\x00", 4},
    "\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
    "\x7f\xff\xff\xff\xff\xff\x7f",
    "\xff\xff\xff\xff",
    "\x3f\xff\xff\xff\xff\x0f",
};
constexpr size_t kMostBytes = 16 * 1024;  // of a block, as the kernel's part has it
constexpr size_t kMostBlocks = 50;
constexpr size_t kMostValueBytes = 32;
constexpr uint32_t kLeastFieldBytes = 32;  // RFC 7541, section 4.1

size_t Below(Random& random, size_t bound) {
  return bound == 0 ? 0 : random() % bound;
}

Blocks BlocksOf(const char* path) {
  std::ifstream file(path);
  Blocks blocks;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::string block;
    for (size_t i = 0; i + 1 < line.size(); i += 2) {
      block.push_back(static_cast<char>(strtoul(line.substr(i, 2).c_str(), nullptr, 16)));
    }
    blocks.push_back(block);
  }
  return blocks;
}

void Mutate(Random& random, const std::vector<Blocks>& corpus, Blocks& blocks) {
  const Blocks& others = corpus[Below(random, corpus.size())];
  const std::string& other = others[Below(random, others.size())];
  size_t index = Below(random, blocks.size());
  if (blocks.size() < kMostBlocks && random() % 8 == 0) {
    blocks.insert(blocks.begin() + static_cast<ptrdiff_t>(index), other);
    return;
  }
  std::string& block = blocks[index];
  size_t at = Below(random, block.size() + 1);
  switch (random() % 6) {
    case 0:
      if (at < block.size()) block[at] = static_cast<char>(random());
      break;
    case 1:
      if (at < block.size()) block[at] = static_cast<char>(block[at] ^ (1 << random() % 8));
      break;
    case 2:
      block.resize(at);
      break;
    case 3:
      block.insert(at, kFragments[Below(random, std::size(kFragments))]);
      break;
    case 4:
      block.erase(at, Below(random, 20));
      break;
    case 5:
      block.insert(at, other);
      break;
  }
  block.resize(std::min(block.size(), kMostBytes));
}

void Expect(bool holds) {
  if (!holds) abort();
}

bool IsReadable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void ExpectBounds(const HeaderTable& table, const HeaderFields& fields) {
  Expect(table.Size() <= kMaxTableBytes);
  Expect(table.Length() * kLeastFieldBytes <= table.Size());
  Expect(fields.path.size() <= kMaxPathBytes && IsReadable(fields.path));
  for (const std::string* value :
       {&fields.method, &fields.status, &fields.content_type, &fields.grpc_status}) {
    Expect(value->size() <= kMostValueBytes);
  }
}

// A block that is one is still one with a field more, and the field of before is not changed by it.
void ExpectToGoOn(const std::string& block, HeaderTable before, const HeaderFields& fields) {
  HeaderFields more;
  Expect(ReadHeaderBlock(block + '\x82', before, more));
  Expect(more.method == (fields.method.empty() ? "GET" : fields.method) && more.path == fields.path);
}

// One that is none ends its connection here, as it does for the agent.
void Read(const Blocks& blocks, bool is_from_before) {
  HeaderTable table;
  if (is_from_before) table.Lose();
  for (const std::string& block : blocks) {
    HeaderTable before = table;
    HeaderFields fields;
    bool is_block = ReadHeaderBlock(block, table, fields);
    ExpectBounds(table, fields);
    if (!is_block) return;
    ExpectToGoOn(block, before, fields);
  }
}

}  // namespace
}  // namespace flamegate

int main(int count, char** arguments) {
  using namespace flamegate;
  if (count < 4) return 2;
  Random random(static_cast<uint32_t>(strtoul(arguments[1], nullptr, 10)));
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(strtoul(arguments[2], nullptr, 10));
  std::vector<Blocks> corpus;
  for (int i = 3; i < count; i++) corpus.push_back(BlocksOf(arguments[i]));
  uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; runs++) {
    Blocks blocks = corpus[Below(random, corpus.size())];
    for (size_t i = 1 + Below(random, 4); i > 0; i--) Mutate(random, corpus, blocks);
    Read(blocks, random() % 4 == 0);
  }
  printf("%llu inputs\n", static_cast<unsigned long long>(runs));
  return 0;
}
