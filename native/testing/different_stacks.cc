#include "different_stacks.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "frame_word.h"

namespace flamegate {
namespace {

using Traits = std::unordered_set<uint64_t>;

// As many kinds of frames a new thread outweighs, in the kernel or not: each of them does something else.
constexpr uint64_t kThreadWeight = 8;

constexpr uint64_t Trait(uint64_t family, uint64_t value) {
  return family << 60 | (value & ((uint64_t{1} << 60) - 1));
}

// What a frame is, apart from which: of Java its flags, of stubs and marks the number.
uint64_t KindOf(uint64_t frame) {
  uint64_t kind = frame >> 56;
  switch (static_cast<FrameKind>(kind)) {
    case FrameKind::kJava:
    case FrameKind::kSuspended:
      return kind << 16 | ((frame >> 52) & 0xf);
    case FrameKind::kStub:
    case FrameKind::kMark:
    case FrameKind::kWait:
      return kind << 16 | (frame & 0xffff);
  }
  return 0;
}

bool IsSuspended(uint64_t frame) {
  return frame >> 56 == static_cast<uint64_t>(FrameKind::kSuspended);
}

Traits TraitsOf(const ThreadStack& thread) {
  const OneStack& stack = thread.stack;
  Traits traits;
  uint64_t place = uint64_t{thread.tid} << 1 | (stack.kernel.empty() ? 0 : 1);
  for (uint64_t i = 0; i < kThreadWeight; i++) traits.insert(Trait(7, place << 8 | i));
  uint64_t above = stack.kernel.empty() ? 1 : 2;
  for (uint64_t frame : stack.user) {
    uint64_t kind = KindOf(frame);
    traits.insert(Trait(1, above << 24 | kind));
    above = kind;
  }
  traits.insert(Trait(2, std::bit_width(stack.user.size())));
  traits.insert(Trait(3, static_cast<uint64_t>(std::ranges::count_if(stack.user, IsSuspended))));
  auto java = std::ranges::find_if(stack.user, IsJavaFrame);
  if (java != stack.user.end()) traits.insert(Trait(4, JavaMethodOf(*java)));
  auto caller = std::ranges::find_if(stack.user, IsSuspended);
  if (caller != stack.user.end()) traits.insert(Trait(5, *caller));
  if (!stack.user.empty()) traits.insert(Trait(6, KindOf(stack.user.back())));
  return traits;
}

size_t CountNew(const Traits& traits, const Traits& known) {
  size_t count = 0;
  for (uint64_t trait : traits) count += known.contains(trait) ? 0 : 1;
  return count;
}

}  // namespace

std::vector<size_t> DifferentStacks(const std::vector<ThreadStack>& stacks, size_t most) {
  std::vector<Traits> traits;
  for (const ThreadStack& stack : stacks) traits.push_back(TraitsOf(stack));
  Traits known;
  std::vector<size_t> chosen;
  while (chosen.size() < most) {
    size_t best = 0;
    size_t most_new = 0;
    for (size_t i = 0; i < stacks.size(); i++) {
      size_t count = CountNew(traits[i], known);
      if (count <= most_new) continue;
      most_new = count;
      best = i;
    }
    if (most_new == 0) break;
    known.insert(traits[best].begin(), traits[best].end());
    chosen.push_back(best);
  }
  return chosen;
}

}  // namespace flamegate
