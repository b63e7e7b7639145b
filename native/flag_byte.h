#pragma once
#include <sys/types.h>

#include <cstdint>

namespace flamegate {

enum class FlagByteResult : uint8_t {
  kSet,         ///< it was 0, and reads 1 now
  kUnreadable,  ///< nothing was written
  kNotZero,     ///< nothing was written
  kUnwritable,  ///< nothing was written
  kNotKept,     ///< written, and it reads otherwise or not at all: the process may have ended
};

/// Turns the byte of a boolean flag in another process from 0 to 1. The one function of this project that
/// writes into a process: exactly one byte, always the value 1, never where there is anything but 0, and
/// never against the protection of the page. `error` is the errno of what failed.
FlagByteResult SetFlagByte(pid_t pid, uint64_t address, int& error);

}  // namespace flamegate
