#include "foreign_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace flamegate {
namespace {

// UIO_MAXIOV, the kernel's limit for one call.
constexpr size_t kMaxPieces = 1024;

}  // namespace

bool ForeignMemory::Read(uint64_t address, std::span<uint8_t> into) {
  return ReadSome(address, into) == into.size();
}

size_t ForeignMemory::ReadSome(uint64_t address, std::span<uint8_t> into) {
  iovec local = {into.data(), into.size()};
  iovec remote = {reinterpret_cast<void*>(address), into.size()};
  reads_++;
  ssize_t got = process_vm_readv(pid_, &local, 1, &remote, 1, 0);
  if (got != static_cast<ssize_t>(into.size())) failures_++;
  return got < 0 ? 0 : static_cast<size_t>(got);
}

// A call ends at the first address that cannot be read: the next call begins with the piece behind it.
void ForeignMemory::ReadPieces(std::span<Piece> pieces) {
  constexpr size_t kMostAtOnce = 8;
  std::array<iovec, kMostAtOnce> local;
  std::array<iovec, kMostAtOnce> remote;
  while (!pieces.empty()) {
    size_t count = std::min(kMostAtOnce, pieces.size());
    for (size_t i = 0; i < count; i++) {
      local[i] = {pieces[i].into.data(), pieces[i].into.size()};
      remote[i] = {reinterpret_cast<void*>(pieces[i].address), pieces[i].into.size()};
    }
    reads_++;
    ssize_t got = process_vm_readv(pid_, local.data(), count, remote.data(), count, 0);
    size_t left = got < 0 ? 0 : static_cast<size_t>(got);
    size_t done = 0;
    while (done < count) {
      Piece& piece = pieces[done++];
      piece.got = std::min(left, piece.into.size());
      left -= piece.got;
      if (piece.got == piece.into.size()) continue;
      failures_++;
      break;
    }
    pieces = pieces.subspan(done);
  }
}

// A call ends at the first address that cannot be read: that piece stays zero, and the next call begins
// behind it. Each piece costs as much as its page.
void ForeignMemory::Gather(std::span<const uint64_t> addresses, std::span<uint8_t> into) {
  std::fill(into.begin(), into.end(), 0);
  if (addresses.empty()) return;
  size_t size = into.size() / addresses.size();
  std::array<iovec, kMaxPieces> remote;
  for (size_t done = 0; done < addresses.size();) {
    size_t pieces = std::min(kMaxPieces, addresses.size() - done);
    for (size_t i = 0; i < pieces; i++) remote[i] = {reinterpret_cast<void*>(addresses[done + i]), size};
    std::span<uint8_t> rest = into.subspan(done * size, pieces * size);
    iovec local = {rest.data(), rest.size()};
    reads_++;
    ssize_t got = process_vm_readv(pid_, &local, 1, remote.data(), pieces, 0);
    size_t whole = got < 0 ? 0 : static_cast<size_t>(got) / size;
    if (whole < pieces) {
      failures_++;
      std::fill_n(rest.begin() + static_cast<ptrdiff_t>(whole * size), size, 0);
      whole++;
    }
    done += whole;
  }
}

}  // namespace flamegate
