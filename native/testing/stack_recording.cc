#include "stack_recording.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace flamegate {
namespace {

constexpr size_t kMaxFile = 256 << 20;
constexpr size_t kMaxRecord = 1 << 20;

std::optional<std::vector<uint8_t>> ReadFile(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == nullptr) return std::nullopt;
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> chunk(1 << 20);
  while (size_t got = fread(chunk.data(), 1, chunk.size(), file)) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<ptrdiff_t>(got));
    if (bytes.size() > kMaxFile) break;
  }
  fclose(file);
  return bytes;
}

// Numbers by the names they have now, so that a reordered layout is read right and a new field is missed.
template <typename Names>
bool NumbersOf(std::string_view text, const Names& names, std::vector<int64_t>& numbers,
               std::string& missing) {
  std::map<std::string_view, int64_t> told;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    size_t space = text.find(' ');
    if (space >= end) break;
    told[text.substr(0, space)] = strtoll(text.data() + space + 1, nullptr, 10);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (const char* name : names) {
    auto number = told.find(name);
    if (number == told.end()) {
      missing = name;
      return false;
    }
    numbers.push_back(number->second);
  }
  return true;
}

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool AddPiece(StackRecording& recording, PieceKind kind, std::span<const uint8_t> content,
              std::string& why_not) {
  std::vector<int64_t> numbers;
  uint64_t address = 0;
  switch (kind) {
    case PieceKind::kName:
      recording.name = TextOf(content);
      return true;
    case PieceKind::kMaps:
      recording.maps = TextOf(content);
      return true;
    case PieceKind::kLayout:
      if (!NumbersOf(TextOf(content), kHotspotLayoutNames, numbers, why_not)) return false;
      recording.layout = LayoutOf(numbers);
      return true;
    case PieceKind::kHeap:
      if (!NumbersOf(TextOf(content), kHeapLayoutNames, numbers, why_not)) return false;
      recording.heap = HeapLayoutOf(numbers);
      return true;
    case PieceKind::kMemory:
      if (content.size() < sizeof(address)) break;
      memcpy(&address, content.data(), sizeof(address));
      return recording.memory.Learn(address, content.subspan(sizeof(address)));
    case PieceKind::kUnreadable:
      for (; content.size() >= sizeof(address); content = content.subspan(sizeof(address))) {
        memcpy(&address, content.data(), sizeof(address));
        recording.memory.LearnUnreadable(address);
      }
      return true;
    case PieceKind::kRecord:
      if (content.size() > kMaxRecord) break;
      recording.records.emplace_back(content);
      return true;
  }
  why_not = "a piece of kind " + std::to_string(static_cast<uint32_t>(kind));
  return false;
}

}  // namespace

bool RecordedMemory::Learn(uint64_t address, std::span<const uint8_t> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    uint64_t at = address + done;
    uint64_t offset = at % kPageBytes;
    size_t count = std::min<size_t>(bytes.size() - done, kPageBytes - offset);
    Page& page = pages_[at - offset];
    for (size_t i = 0; i < count; i++) {
      uint8_t& known = page.bytes[offset + i];
      if (page.known[offset + i] && known != bytes[done + i]) return false;
      known = bytes[done + i];
      page.known.set(offset + i);
    }
    page.is_whole = page.known.all();
    done += count;
  }
  return true;
}

void RecordedMemory::LearnUnreadable(uint64_t address) {
  unreadable_.insert(address - address % kPageBytes);
}

RecordedMemory::Copied RecordedMemory::Copy(uint64_t address, std::span<uint8_t> into) const {
  for (size_t done = 0; done < into.size();) {
    uint64_t at = address + done;
    uint64_t offset = at % kPageBytes;
    size_t count = std::min<size_t>(into.size() - done, kPageBytes - offset);
    if (unreadable_.contains(at - offset)) return {done, End::kUnreadable};
    auto page = pages_.find(at - offset);
    if (page == pages_.end()) return {done, End::kUnknown};
    for (size_t i = offset; !page->second.is_whole && i < offset + count; i++) {
      if (!page->second.known[i]) return {done, End::kUnknown};
    }
    memcpy(into.data() + done, page->second.bytes.data() + offset, count);
    done += count;
  }
  return {into.size(), End::kWhole};
}

void RecordedMemory::Write(FILE* into) const {
  std::vector<uint8_t> run;
  uint64_t run_address = 0;
  auto end_run = [&] {
    if (!run.empty()) WritePiece(into, PieceKind::kMemory, run);
    run.clear();
  };
  for (const auto& [address, page] : pages_) {
    for (size_t i = 0; i < kPageBytes; i++) {
      if (!page.known[i]) continue;
      bool goes_on = !run.empty() && run_address + run.size() - sizeof(uint64_t) == address + i;
      if (!goes_on) {
        end_run();
        run_address = address + i;
        run.resize(sizeof(run_address));
        memcpy(run.data(), &run_address, sizeof(run_address));
      }
      run.push_back(page.bytes[i]);
    }
  }
  end_run();
  std::vector<uint64_t> pages(unreadable_.begin(), unreadable_.end());
  WritePiece(into, PieceKind::kUnreadable,
             {reinterpret_cast<const uint8_t*>(pages.data()), pages.size() * sizeof(uint64_t)});
}

RingRecord::RingRecord(std::span<const uint8_t> bytes)
    : words_((bytes.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t)), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(words_.data()));
}

void WritePiece(FILE* into, PieceKind kind, std::span<const uint8_t> content) {
  const uint32_t header[] = {static_cast<uint32_t>(kind), static_cast<uint32_t>(content.size())};
  fwrite(header, sizeof(header), 1, into);
  fwrite(content.data(), 1, content.size(), into);
}

std::optional<std::vector<StackRecording>> ReadRecordings(const char* path, std::string& why_not) {
  std::optional<std::vector<uint8_t>> file = ReadFile(path);
  std::vector<StackRecording> recordings;
  std::span<const uint8_t> rest = file ? std::span<const uint8_t>(*file) : std::span<const uint8_t>();
  while (!rest.empty()) {
    uint32_t header[2] = {};
    if (rest.size() >= sizeof(header)) memcpy(header, rest.data(), sizeof(header));
    auto kind = static_cast<PieceKind>(header[0]);
    bool is_first = recordings.empty() && kind != PieceKind::kName;
    if (rest.size() < sizeof(header) + header[1] || header[0] == 0 || is_first) {
      why_not = "it is cut, or something else";
      return std::nullopt;
    }
    if (kind == PieceKind::kName) recordings.emplace_back();
    if (!AddPiece(recordings.back(), kind, rest.subspan(sizeof(header), header[1]), why_not))
      return std::nullopt;
    rest = rest.subspan(sizeof(header) + header[1]);
  }
  if (recordings.empty()) {
    why_not = "it cannot be read, or is empty";
    return std::nullopt;
  }
  return recordings;
}

}  // namespace flamegate
