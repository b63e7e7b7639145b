#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "one_stack.h"

namespace flamegate {

struct ThreadStack {
  uint32_t tid;
  OneStack stack;
};

/// Of many stacks the indices of so many that differ most: each has the most of what none before it has (its
/// thread, kinds of frames in succession, leaves, depths, marks). Of equal ones the first.
std::vector<size_t> DifferentStacks(const std::vector<ThreadStack>& stacks, size_t most);

}  // namespace flamegate
