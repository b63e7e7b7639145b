#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace flamegate {

/// What became of the search for a resumed coroutine's callers.
enum class ChainEnd : uint8_t {
  kChain,             ///< they were found
  kUnsupported,       ///< this JVM's collector moves objects at any time, or its heap is not known
  kNotRead,           ///< a pause was active when the sample was taken, or nothing tells
  kNoContinuation,    ///< none among the locals
  kUncertain,         ///< several, of which nothing tells which it is; or the only one may be old
  kHeapMoved,         ///< a collection ran since the sample, or runs
  kNotAContinuation,  ///< a link is none
  kNoJob,             ///< the chain ends in something else: sequences, callbacks
  kTooLong,           ///< it has no end
  kWentOn,            ///< a pipeline that it passes may be at another place by now
  kCount,
};

/// Resumed coroutines by what became of the search, and what the searches took.
struct ChainCounts {
  std::array<uint64_t, static_cast<size_t>(ChainEnd::kCount)> by_end = {};
  uint64_t reads = 0;  ///< of foreign memory
  uint64_t ns = 0;
};

}  // namespace flamegate
