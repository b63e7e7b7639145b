#include "stack_record.h"

#include <algorithm>

namespace flamegate {

std::optional<StackRecord> ParseStackRecord(std::span<const uint8_t> bytes) {
  auto* header = reinterpret_cast<const fg_cpu_stack_header*>(bytes.data());
  if (bytes.size() < sizeof(*header)) return std::nullopt;
  size_t kernel_frames = header->sample.kernel_frames;
  size_t needed = sizeof(*header) + kernel_frames * sizeof(uint64_t) + header->stack_bytes;
  if (kernel_frames > FG_MAX_KERNEL_FRAMES || header->stack_bytes > FG_MAX_STACK_BYTES ||
      bytes.size() < needed)
    return std::nullopt;

  StackRecord record = {&header->sample, {}, {}};
  record.kernel_frames = {reinterpret_cast<const uint64_t*>(header + 1), kernel_frames};
  record.thread.time_ns = header->sample.time_ns;
  std::copy(std::begin(header->registers), std::end(header->registers), record.thread.registers.begin());
  std::span stack = bytes.subspan(sizeof(*header) + kernel_frames * sizeof(uint64_t), header->stack_bytes);
  bool is_cut = (header->sample.flags & FG_SAMPLE_STACK_CUT) != 0;
  record.thread.stack = StackCopy(header->stack_address, stack, is_cut);
  if ((header->sample.flags & FG_SAMPLE_CODE_READ) != 0) record.thread.code = header->code;
  bool is_heap_still =
      (header->sample.flags & FG_SAMPLE_GC_READ) != 0 && (header->sample.flags & FG_SAMPLE_GC_ACTIVE) == 0;
  if (is_heap_still) record.thread.collections = header->total_collections;
  return record;
}

}  // namespace flamegate
