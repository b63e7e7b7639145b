#include "still_stack.h"

#include <algorithm>
#include <cstring>

#include "foreign_memory.h"
#include "monotonic_clock.h"
#include "x86_64.h"

namespace flamegate {

StillStack::StillStack() : bytes_(FG_MAX_STACK_BYTES) {}

// The counter first: a collection from here on changes it.
bool StillStack::Read(pid_t pid, std::span<const __u64, FG_REGISTERS> registers,
                      const CollectionPlaces& places) {
  std::array<uint8_t, sizeof(uint32_t)> collections = {};
  uint8_t is_active = 1;
  uint64_t address = registers[kStackPointer] - FG_RED_ZONE_BYTES;
  std::array<ForeignMemory::Piece, 4> pieces = {
      {{places.total_collections, collections},
       {places.gc_active, {&is_active, 1}},
       {registers[kInstructionPointer] - FG_CODE_BYTES_BEFORE, code_},
       {address, bytes_}}};
  uint64_t time_ns = MonotonicNs();
  ForeignMemory memory(pid);
  memory.ReadPieces(pieces);
  const auto& [counted, active, code, stack] = pieces;

  thread_ = {};
  thread_.time_ns = time_ns;
  std::copy(registers.begin(), registers.end(), thread_.registers.begin());
  thread_.stack = StackCopy(address, std::span(bytes_).first(stack.got), stack.got == bytes_.size());
  if (code.got == code_.size()) thread_.code = code_;
  bool is_heap_still = counted.got == collections.size() && active.got == 1 && is_active == 0;
  if (is_heap_still) {
    uint32_t count;
    memcpy(&count, collections.data(), sizeof(count));
    thread_.collections = count;
  }
  return stack.got > FG_RED_ZONE_BYTES;
}

}  // namespace flamegate
