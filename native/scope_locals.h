#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace flamegate {

/// Where compiled code keeps a reference while it runs in some scope.
struct OopSlot {
  bool is_narrow;
  bool is_in_frame_pointer;  ///< else on the stack
  uint32_t stack_offset;     ///< bytes from the frame's stack pointer
};

/// Appends the references among the locals of a scope, by their numbers. `at`: where the scope's locals are
/// described in the scopes data; 0 if it has none. Those in registers that do not survive a call are left
/// out.
void AppendLocals(std::span<const uint8_t> scopes, uint32_t at, uint32_t excluded,
                  std::vector<OopSlot>& slots);

}  // namespace flamegate
