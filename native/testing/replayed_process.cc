#include "replayed_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace flamegate {
namespace {

// Stacks as recorded take a few thousand; a stack of nonsense has had less than a hundred thousand. One that
// would go on for ever ends here.
constexpr uint64_t kMaxCalls = 2'000'000;

ReplayedProcess* current = nullptr;

// What of [address, address + size) lies in the bytes becomes this.
void Overlay(uint64_t address, std::span<uint8_t> bytes, uint64_t at, std::span<const uint8_t> with) {
  for (size_t i = 0; i < with.size(); i++) {
    uint64_t offset = at + i - address;
    if (offset < bytes.size()) bytes[offset] = with[i];
  }
}

}  // namespace

ReplayedProcess::ReplayedProcess(const StackRecording& recording, const Tampering& tampering)
    : recording_(recording), tampering_(tampering) {
  current = this;
}

ReplayedProcess::~ReplayedProcess() {
  current = nullptr;
}

ssize_t ReplayedProcess::Read(std::span<const std::span<uint8_t>> into,
                              std::span<const std::span<const uint8_t>> from) {
  if (++calls_ > kMaxCalls) {
    fputs("the unwinding does not end\n", stderr);
    abort();
  }
  size_t wanted = 0;
  for (auto piece : from) wanted += piece.size();
  size_t total = 0;
  bool fails = tampering_.fail_every != 0 && calls_ % tampering_.fail_every == 0;
  if (fails) is_tampered_ = true;
  size_t local = 0;
  size_t local_done = 0;
  for (size_t i = 0; i < from.size() && !fails; i++) {
    for (size_t done = 0; done < from[i].size() && !fails;) {
      while (local < into.size() && local_done == into[local].size()) {
        local++;
        local_done = 0;
      }
      if (local == into.size()) return static_cast<ssize_t>(total);
      size_t count = std::min(from[i].size() - done, into[local].size() - local_done);
      uint64_t address = reinterpret_cast<uint64_t>(from[i].data()) + done;
      size_t got = ReadPart(address, into[local].subspan(local_done, count));
      fails = got < count;
      done += got;
      local_done += got;
      total += got;
    }
  }
  if (total < wanted) failed_calls_++;
  if (total > 0 || wanted == 0) return static_cast<ssize_t>(total);
  errno = EFAULT;
  return -1;
}

size_t ReplayedProcess::ReadPart(uint64_t address, std::span<uint8_t> into) {
  RecordedMemory::Copied copied = recording_.memory.Copy(address, into);
  if (copied.end == RecordedMemory::End::kUnknown && !unknown_) unknown_ = address + copied.bytes;
  std::span bytes = into.first(copied.bytes);
  if (bytes.empty()) return 0;
  parts_++;
  if (lasting_) Overlay(address, bytes, lasting_->address, std::span(lasting_->bytes).first(lasting_->size));
  if (parts_ == tampering_.change_at) Tamper(address, bytes);
  return bytes.size();
}

void ReplayedProcess::Tamper(uint64_t address, std::span<uint8_t> bytes) {
  size_t offset = tampering_.change_offset % bytes.size();
  Change change = {address + offset, {}, 1};
  if (tampering_.word) {
    change.address -= change.address % sizeof(uint64_t);
    change.size = sizeof(uint64_t);
    memcpy(change.bytes.data(), &*tampering_.word, sizeof(uint64_t));
  } else {
    change.bytes[0] = static_cast<uint8_t>(bytes[offset] ^ (1u << (tampering_.bit % 8)));
  }
  Overlay(address, bytes, change.address, std::span(change.bytes).first(change.size));
  is_tampered_ = true;
  if (tampering_.is_lasting) lasting_ = change;
}

}  // namespace flamegate

extern "C" {

int __real_open(const char* path, int flags, ...);  // NOLINT: the linker's name

ssize_t __wrap_process_vm_readv(pid_t, const iovec* local, unsigned long local_count, const iovec* remote,
                                unsigned long remote_count, unsigned long) {
  std::vector<std::span<uint8_t>> into;
  std::vector<std::span<const uint8_t>> from;
  for (unsigned long i = 0; i < local_count; i++)
    into.emplace_back(static_cast<uint8_t*>(local[i].iov_base), local[i].iov_len);
  for (unsigned long i = 0; i < remote_count; i++)
    from.emplace_back(static_cast<const uint8_t*>(remote[i].iov_base), remote[i].iov_len);
  if (flamegate::current != nullptr) return flamegate::current->Read(into, from);
  errno = ESRCH;
  return -1;
}

int __wrap_open(const char* path, int flags, ...) {
  std::string_view name(path);
  bool is_map = name.starts_with("/proc/") && name.ends_with("/maps");
  if (!is_map || flamegate::current == nullptr) return __real_open(path, flags);
  const std::string& text = flamegate::current->Maps();
  int file = memfd_create("maps", MFD_CLOEXEC);
  if (file < 0) return -1;
  bool is_written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (is_written && lseek(file, 0, SEEK_SET) == 0) return file;
  close(file);
  errno = EIO;
  return -1;
}
}
