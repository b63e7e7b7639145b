#include "frame_reader.h"

#include <cstring>

#include "requests.h"

namespace flamegate {
namespace {

uint32_t NumberOf(std::string_view bytes) {
  uint32_t number = 0;
  for (char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

FrameReader::Found FrameReader::Next() {
  while (!runs_.empty()) {
    fg_run run;
    if (runs_.size() < sizeof(run)) return Found::kMalformed;
    memcpy(&run, runs_.data(), sizeof(run));
    size_t filled = sizeof(run) + FG_RUN_FILLED(run.captured);
    if (runs_.size() < filled || run.captured > run.moved) return Found::kMalformed;
    std::string_view bytes = runs_.substr(sizeof(run), run.captured);
    runs_.remove_prefix(filled);
    if (run.is_header != 0) {
      if (Found found = ReadHeader(bytes, run.arrived_ns); found != Found::kNothing) return found;
      continue;
    }
    if (!is_open_) continue;
    if (run.moved > left_) return Found::kMalformed;
    left_ -= run.moved;
    bool has_room = payload_.size() + bytes.size() <= FG_BLOCK_BYTES;
    if (bytes.size() < run.moved || !has_room) frame_.is_whole = false;
    if (has_room) payload_.append(bytes);
    if (left_ == 0) return End();
  }
  return Found::kNothing;
}

FrameReader::Found FrameReader::ReadHeader(std::string_view bytes, uint64_t arrived_ns) {
  if (is_open_ || bytes.size() != FG_FRAME_HEADER_BYTES) return Found::kMalformed;
  is_open_ = true;
  payload_.clear();
  frame_ = {};
  frame_.length = left_ = NumberOf(bytes.substr(0, 3));
  frame_.type = static_cast<uint8_t>(bytes[3]);
  frame_.flags = static_cast<uint8_t>(bytes[4]);
  frame_.stream = NumberOf(bytes.substr(5, 4)) & 0x7fffffff;
  frame_.arrived_ns = arrived_ns;
  return left_ == 0 ? End() : Found::kNothing;
}

FrameReader::Found FrameReader::End() {
  is_open_ = false;
  frame_.payload = payload_;
  return Found::kFrame;
}

void FrameReader::Lose() {
  is_open_ = false;
  runs_ = {};
}

}  // namespace flamegate
