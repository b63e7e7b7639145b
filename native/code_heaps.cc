#include "code_heaps.h"

#include <algorithm>
#include <array>

namespace flamegate {
namespace {

constexpr uint32_t kMaxHeaps = 16;            // HotSpot has one or three; its AOT cache added others
constexpr uint64_t kMaxHeapBytes = 1 << 30;   // ReservedCodeCacheSize has at most 2 GB in all
constexpr uint32_t kMaxLog2SegmentSize = 16;  // 7 on every platform
constexpr int kMaxHops = 64;                  // a hop goes back up to 253 segments, and blobs have below 2 MB
constexpr size_t kWindow = 256;               // a hop's reach
constexpr uint8_t kFree = 0xff;

}  // namespace

bool CodeHeaps::Load(ForeignMemory& memory, const HotspotLayout& layout) {
  heaps_.clear();
  block_header_ = static_cast<uint64_t>(layout.heap_block_size);
  auto word = [&](uint64_t base, int64_t offset) {
    return memory.Get<uint64_t>(base + static_cast<uint64_t>(offset)).value_or(0);
  };
  uint64_t list = word(static_cast<uint64_t>(layout.code_cache_heaps), 0);
  if (list == 0) return false;
  uint32_t count = memory.Get<uint32_t>(list + static_cast<uint64_t>(layout.growable_array_len)).value_or(0);
  uint64_t data = word(list, layout.growable_array_data);
  if (count == 0 || count > kMaxHeaps || data == 0) return false;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t at = word(data, int64_t{i} * 8);
    Heap heap = {
        word(at, layout.code_heap_memory_low_boundary), word(at, layout.code_heap_memory_high_boundary),
        word(at, layout.code_heap_segmap_low_boundary),
        memory.Get<uint32_t>(at + static_cast<uint64_t>(layout.code_heap_log2_segment_size)).value_or(0)};
    bool is_sane = heap.low < heap.high && heap.high - heap.low <= 2 * kMaxHeapBytes &&
                   heap.segment_map != 0 && heap.log2_segment_size > 0 &&
                   heap.log2_segment_size <= kMaxLog2SegmentSize;
    if (is_sane) heaps_.push_back(heap);
  }
  return !heaps_.empty();
}

const CodeHeaps::Heap* CodeHeaps::HeapOf(uint64_t address) const {
  auto heap = std::find_if(heaps_.begin(), heaps_.end(), [address](const Heap& candidate) {
    return address >= candidate.low && address < candidate.high;
  });
  return heap == heaps_.end() ? nullptr : &*heap;
}

// The segment map has a byte per segment: 0 where a block begins, else how far back to go (in several hops
// for large blocks), 0xff in free ones.
std::optional<uint64_t> CodeHeaps::FindBlob(ForeignMemory& memory, uint64_t address) const {
  const Heap* heap = HeapOf(address);
  if (heap == nullptr) return std::nullopt;
  uint64_t segment = (address - heap->low) >> heap->log2_segment_size;
  std::array<uint8_t, kWindow> window;
  uint64_t window_start = segment + 1;  // nothing read yet
  for (int hop = 0; hop < kMaxHops; hop++) {
    if (segment < window_start) {
      window_start = segment + 1 - std::min<uint64_t>(segment + 1, kWindow);
      if (!memory.Read(heap->segment_map + window_start, std::span(window).first(segment + 1 - window_start)))
        return std::nullopt;
    }
    uint8_t back = window[segment - window_start];
    if (back == 0) return heap->low + (segment << heap->log2_segment_size) + block_header_;
    if (back == kFree || back > segment) return std::nullopt;
    segment -= back;
  }
  return std::nullopt;
}

}  // namespace flamegate
