#pragma once
#include <span>
#include <string_view>

#include "failure.h"

namespace flamegate {

/// What the install grants the agent, and the filter leaves it.
struct LockdownConfig {
  bool allow_live = false;    ///< mode Live: process_vm_writev
  bool allow_attach = false;  ///< the attach protocol: SIGQUIT to other processes
};

/// Takes from this process, all its threads and all that they will start, for good, what an agent never does
/// and whoever takes it over would want: system calls, and dumps of its memory. Nothing is taken if it fails.
/// The second call adds to the first.
bool LockDown(const LockdownConfig& config, Failure& failure);

/// Names of the system calls that are refused whatever their arguments and whatever is granted.
std::span<const std::string_view> RefusedCalls();

}  // namespace flamegate
