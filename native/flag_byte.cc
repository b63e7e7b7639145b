#include "flag_byte.h"

#include <sys/uio.h>

#include <cerrno>

namespace flamegate {
namespace {

bool ReadByte(pid_t pid, const iovec& remote, uint8_t& value, int& error) {
  iovec local = {&value, sizeof(value)};
  bool is_read = process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof(value);
  if (!is_read) error = errno;
  return is_read;
}

}  // namespace

// process_vm_writev and not /proc/PID/mem: that writes to read-only pages too, and for another user's process
// takes CAP_DAC_OVERRIDE besides.
FlagByteResult SetFlagByte(pid_t pid, uint64_t address, int& error) {
  error = 0;
  uint8_t value = 0;
  const iovec remote = {reinterpret_cast<void*>(address), sizeof(value)};
  if (!ReadByte(pid, remote, value, error)) return FlagByteResult::kUnreadable;
  if (value != 0) return FlagByteResult::kNotZero;
  uint8_t on = 1;
  const iovec local = {&on, sizeof(on)};
  if (process_vm_writev(pid, &local, 1, &remote, 1, 0) != sizeof(on)) {
    error = errno;
    return FlagByteResult::kUnwritable;
  }
  bool is_kept = ReadByte(pid, remote, value, error) && value == on;
  return is_kept ? FlagByteResult::kSet : FlagByteResult::kNotKept;
}

}  // namespace flamegate
