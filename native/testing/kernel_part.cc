#include "kernel_part.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace {

// Another process's memory: what a call moves, and the vector that says where it is.
struct Region {
  uint64_t address;
  std::string bytes;
};
Region moved = {0x7f0000000000, {}};
Region vector = {0x7e0000000000, {}};

int ReadMemory(void* to, uint64_t bytes, uint64_t address) {
  const Region& region = address >= moved.address ? moved : vector;
  uint64_t at = address - region.address;
  if (at > region.bytes.size() || bytes > region.bytes.size() - at) return -1;
  memcpy(to, region.bytes.data() + at, bytes);
  return 0;
}

}  // namespace

#define FG_READ_USER(to, bytes, address) ReadMemory(to, bytes, address)
#include "socket_roles.h"

namespace flamegate {
namespace {

constexpr int kMostSteps = 8192;       // as bpf/requests.bpf.c
constexpr uint64_t kMostParts = 1024;  // IOV_MAX

const uint8_t* BytesOf(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

struct KernelPart::Frames {
  fg_frames received;
  fg_frames sent;
  fg_walk walk;
  fg_socket_record record;
};

KernelPart::KernelPart(size_t part_bytes) : part_bytes_(part_bytes), frames_(new Frames()) {}

KernelPart::~KernelPart() {
  delete frames_;
}

void KernelPart::BeginSocket(uint64_t born_ns) {
  born_ns_ = born_ns;
  sequence_ = 0;
  role_ = FG_ROLE_UNKNOWN;
  was_seen_ = false;
  *frames_ = {};
}

std::vector<Record> KernelPart::Happen(const TranscriptEvent& event, uint64_t time_ns) {
  std::vector<Record> records;
  if (event.event == FG_SOCKET_RECEIVED || event.event == FG_SOCKET_SENT) {
    AddCall(event, time_ns, records);
  } else {
    records.push_back(RecordOf(event, time_ns, {}, false));
  }
  if (event.event == FG_SOCKET_ENDED || event.event == FG_SOCKET_ABORTED) BeginSocket(born_ns_);
  return records;
}

void KernelPart::AddCall(const TranscriptEvent& event, uint64_t time_ns, std::vector<Record>& records) {
  std::string first = event.bytes.substr(0, FG_CAPTURED_BYTES);
  auto captured = static_cast<uint32_t>(first.size());
  first.resize(std::max<size_t>(first.size(), 32), '\0');
  const uint8_t* data = BytesOf(first);
  if (role_ == FG_ROLE_UNKNOWN || role_ == FG_ROLE_UPGRADED) {
    role_ = fg_role_of(role_, event.event, was_seen_, data, captured);
    was_seen_ = true;
    if (role_ == FG_ROLE_HTTP2) fg_follow(&frames_->received, &frames_->sent, event.event, data, captured);
  }
  if (role_ == FG_ROLE_HTTP2) {
    Walk(event, time_ns, records);
    return;
  }
  bool is_serving = role_ == FG_ROLE_SERVER || role_ == FG_ROLE_UPGRADED;
  if (!event.is_framed || is_serving)
    records.push_back(RecordOf(event, time_ns, std::string_view(first).substr(0, captured), false));
  if (role_ != FG_ROLE_SERVER || event.event != FG_SOCKET_SENT || !fg_switches_protocols(data, captured))
    return;
  uint32_t end = 0;
  fg_end_of_head(data, captured, &end);
  role_ = end != 0 ? FG_ROLE_UPGRADED : FG_ROLE_OTHER;
  if (end == 0 || end >= event.length) return;
  std::string rest = first.substr(end);
  rest.resize(std::max<size_t>(rest.size(), 16), '\0');
  role_ = fg_begins_settings(BytesOf(rest), captured - end) ? FG_ROLE_HTTP2 : FG_ROLE_OTHER;
  if (role_ != FG_ROLE_HTTP2) return;
  fg_follow_whole(&frames_->received, &frames_->sent, end);
  Walk(event, time_ns, records);
}

void KernelPart::Walk(const TranscriptEvent& event, uint64_t time_ns, std::vector<Record>& records) {
  fg_frames* frames = event.event == FG_SOCKET_RECEIVED ? &frames_->received : &frames_->sent;
  std::string first = event.bytes.substr(0, FG_CAPTURED_BYTES);
  auto captured = static_cast<uint32_t>(first.size());
  first.resize(std::max<size_t>(first.size(), 32), '\0');
  if (frames->followed == FG_FOLLOWED_NOT && !fg_join(frames, event.event, BytesOf(first), captured)) return;
  fg_walk& walk = frames_->walk;
  walk = {};
  walk.moved = event.length;
  walk.arrived_ns = event.event == FG_SOCKET_RECEIVED ? time_ns : 0;
  moved.bytes = event.bytes;
  uint64_t bytes =
      part_bytes_ == 0 ? event.length : std::max<uint64_t>(part_bytes_, event.length / kMostParts);
  std::vector<fg_part> parts;
  for (uint64_t at = 0; at < event.length && at <= event.bytes.size(); at += bytes)
    parts.push_back({moved.address + at, std::min<uint64_t>(bytes, event.length - at)});
  vector.bytes.assign(reinterpret_cast<const char*>(parts.data()), parts.size() * sizeof(fg_part));
  fg_gathered(&walk.parts, vector.address, parts.size());
  auto send = [&] {
    std::string_view runs(reinterpret_cast<const char*>(frames_->record.data), walk.used);
    records.push_back(RecordOf(event, time_ns, runs, true));
    walk.used = 0;
  };
  fg_walked walked = FG_WALK_ON;
  for (int step = 0; step < kMostSteps && (walked == FG_WALK_ON || walked == FG_WALK_FULL); step++) {
    walked = fg_walk_step(frames, &walk, frames_->record.data);
    if (walked == FG_WALK_FULL) send();
  }
  bool is_lost = walk.done < walk.moved;
  if (is_lost) frames->followed = FG_FOLLOWED_NOT;
  if (is_lost || walk.used != 0) send();
}

Record KernelPart::RecordOf(const TranscriptEvent& event, uint64_t time_ns, std::string_view bytes,
                            bool is_http2) {
  fg_socket_record_header header = {};
  header.version = FG_REQUESTS_ABI_VERSION;
  header.event = static_cast<uint16_t>(event.event);
  header.container = 1;
  header.socket = 0xffff888000000000;
  header.born_ns = born_ns_;
  header.time_ns = time_ns;
  header.arrived_ns = event.event == FG_SOCKET_RECEIVED ? time_ns : 0;
  header.sequence = sequence_++;
  header.length = event.length;
  header.captured = static_cast<uint32_t>(bytes.size());
  header.is_http2 = is_http2 ? 1 : 0;
  header.received = frames_->received.followed;
  header.sent = frames_->sent.followed;
  Record record(sizeof(header) + bytes.size());
  memcpy(record.data(), &header, sizeof(header));
  if (!bytes.empty()) memcpy(record.data() + sizeof(header), bytes.data(), bytes.size());
  return record;
}

}  // namespace flamegate
