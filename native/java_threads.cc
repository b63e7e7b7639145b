#include "java_threads.h"

#include <algorithm>

namespace flamegate {
namespace {

// The kernel's default of threads for a machine with 4 GB of memory.
constexpr uint32_t kMaxThreads = 32'768;

}  // namespace

std::optional<JavaAnchor> JavaThreads::AnchorOf(uint64_t stack_pointer) {
  const Thread* thread = Find(stack_pointer);
  if (thread == nullptr && may_reload_) {
    Reload();
    thread = Find(stack_pointer);
  }
  if (thread == nullptr) return std::nullopt;
  auto member = [&](int64_t offset) { return thread->address + static_cast<uint64_t>(offset); };
  const uint64_t places[] = {member(layout_.java_thread_anchor_last_java_sp),
                             member(layout_.java_thread_anchor_last_java_pc),
                             member(layout_.java_thread_anchor_last_java_fp)};
  uint64_t words[3];
  memory_.Gather(places, words);
  return JavaAnchor{words[0], words[1], words[2]};
}

const JavaThreads::Thread* JavaThreads::Find(uint64_t stack_pointer) const {
  auto thread = std::find_if(threads_.begin(), threads_.end(), [stack_pointer](const Thread& candidate) {
    return stack_pointer < candidate.stack_base &&
           candidate.stack_base - stack_pointer <= candidate.stack_size;
  });
  return thread == threads_.end() ? nullptr : &*thread;
}

void JavaThreads::Reload() {
  may_reload_ = false;
  threads_.clear();
  bool is_known = layout_.java_thread_list > 0 && layout_.threads_list_length >= 0 &&
                  layout_.threads_list_threads >= 0 && layout_.java_thread_stack_base >= 0 &&
                  layout_.java_thread_stack_size >= 0 && layout_.java_thread_anchor_last_java_sp >= 0 &&
                  layout_.java_thread_anchor_last_java_pc >= 0 &&
                  layout_.java_thread_anchor_last_java_fp >= 0;
  if (!is_known) return;
  auto list = memory_.Get<uint64_t>(static_cast<uint64_t>(layout_.java_thread_list)).value_or(0);
  auto length = memory_.Get<uint32_t>(list + static_cast<uint64_t>(layout_.threads_list_length)).value_or(0);
  auto array = memory_.Get<uint64_t>(list + static_cast<uint64_t>(layout_.threads_list_threads)).value_or(0);
  if (length == 0 || length > kMaxThreads) return;

  std::vector<uint64_t> addresses(length);
  std::span bytes(reinterpret_cast<uint8_t*>(addresses.data()), addresses.size() * sizeof(uint64_t));
  if (!memory_.Read(array, bytes)) return;
  std::vector<uint64_t> places;
  for (uint64_t address : addresses) {
    places.push_back(address + static_cast<uint64_t>(layout_.java_thread_stack_base));
    places.push_back(address + static_cast<uint64_t>(layout_.java_thread_stack_size));
  }
  std::vector<uint64_t> words(places.size());
  memory_.Gather(places, words);
  for (size_t i = 0; i < addresses.size(); i++)
    threads_.push_back({addresses[i], words[2 * i], words[2 * i + 1]});
}

}  // namespace flamegate
