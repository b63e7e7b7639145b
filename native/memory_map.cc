#include "memory_map.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "unique_fd.h"

namespace flamegate {
namespace {

// vm.max_map_count allows 65,530 mappings by default, of about 100 bytes a line.
constexpr size_t kMaxText = 8 << 20;
constexpr size_t kChunk = 64 << 10;

struct Line {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t offset = 0;
  std::string_view permissions;
  std::string_view file;  ///< device and inode, by which two mappings are of one file
  std::string_view path;
};

std::string_view NextWord(std::string_view& text) {
  size_t begin = std::min(text.find_first_not_of(' '), text.size());
  size_t end = std::min(text.find(' ', begin), text.size());
  std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

uint64_t Hex(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

// 7f0…000-7f0…000 r-xp 00251000 fd:01 1835 /usr/lib/…/libjvm.so
Line ParseLine(std::string_view text) {
  Line line;
  std::string_view range = NextWord(text);
  size_t dash = std::min(range.find('-'), range.size());
  line.start = Hex(range.substr(0, dash));
  if (dash < range.size()) line.end = Hex(range.substr(dash + 1));
  line.permissions = NextWord(text);
  line.offset = Hex(NextWord(text));
  std::string_view device = NextWord(text);
  std::string_view inode = NextWord(text);
  line.file =
      std::string_view(device.data(), static_cast<size_t>(inode.data() + inode.size() - device.data()));
  line.path = NextWord(text);
  return line;
}

}  // namespace

bool MemoryMap::Load(pid_t pid) {
  std::string path = "/proc/" + std::to_string(pid) + "/maps";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.Get() < 0) return false;
  std::string text;
  while (text.size() < kMaxText) {
    size_t before = text.size();
    text.resize(before + kChunk);
    ssize_t got = read(file.Get(), text.data() + before, kChunk);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) break;
  }
  if (text.empty()) return false;
  Parse(text);
  return true;
}

// A file's mappings are neighbours, its beginning first.
void MemoryMap::Parse(std::string_view text) {
  ranges_.clear();
  std::string_view file;
  uint64_t image = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    Line line = ParseLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    bool is_file = line.path.starts_with('/') || line.path == "[vdso]";
    if (is_file && line.offset == 0) {
      file = line.file;
      image = line.start;
    }
    bool is_executable = line.permissions.size() > 2 && line.permissions[2] == 'x';
    if (!is_executable || line.end <= line.start) continue;
    ranges_.push_back({line.start, line.end, is_file && line.file == file ? image : 0});
  }
}

const MemoryMap::Range* MemoryMap::Find(uint64_t address) const {
  auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                [](uint64_t value, const Range& range) { return value < range.start; });
  if (after == ranges_.begin()) return nullptr;
  const Range& range = *std::prev(after);
  return address < range.end ? &range : nullptr;
}

}  // namespace flamegate
