#include "one_stack.h"

#include "stack_record.h"

namespace flamegate {
namespace {

// aggregate.h
constexpr size_t kKernelFrames = 4;
constexpr size_t kUserFrames = 5;
constexpr size_t kRowHeader = 6;
constexpr uint32_t kMaxStacks = 16'384;

}  // namespace

std::vector<OneStack> StacksIn(const Aggregate& aggregate) {
  std::vector<OneStack> stacks;
  std::span<const uint64_t> addresses = aggregate.Addresses();
  for (std::span<const uint32_t> rest = aggregate.Rows(); !rest.empty();) {
    OneStack stack;
    size_t kernel = rest[kKernelFrames];
    size_t user = rest[kUserFrames];
    for (uint32_t index : rest.subspan(kRowHeader, kernel)) stack.kernel.push_back(addresses[index]);
    for (uint32_t index : rest.subspan(kRowHeader + kernel, user)) stack.user.push_back(addresses[index]);
    stacks.push_back(std::move(stack));
    rest = rest.subspan(kRowHeader + kernel + user);
  }
  return stacks;
}

std::optional<OneStack> UnwindOne(UnwoundProcesses& processes, std::span<const uint8_t> record,
                                  uint64_t time_ns) {
  std::optional<StackRecord> parsed = ParseStackRecord(record);
  if (!parsed) return std::nullopt;
  parsed->thread.time_ns = time_ns;  // its own is of another machine's clock
  Aggregate aggregate(kMaxStacks);
  processes.Unwind(*parsed, aggregate);
  processes.SettleAll(aggregate);
  std::vector<OneStack> stacks = StacksIn(aggregate);
  return stacks.size() == 1 ? std::optional(std::move(stacks[0])) : std::nullopt;
}

}  // namespace flamegate
