#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hotspot_layout.h"

namespace flamegate {

enum class BlobKind : uint8_t {
  kCompiled,  ///< an nmethod, wrappers of native methods included
  kInterpreter,
  kAdapter,       ///< between compiled and interpreted code: it moves arguments and jumps on
  kFrameless,     ///< vtable stubs and such: they have a few words on the stack at most
  kContinuation,  ///< the stubs to which the lowest frame of a mounted virtual thread returns
  kStub,          ///< any other: a frame of fixed size or, with size 0, one on the frame pointer
};

/// One block of the code cache, as of when it was read.
struct CodeBlob {
  uint64_t address = 0;
  uint64_t code_begin = 0;
  uint64_t code_end = 0;
  uint64_t frame_bytes = 0;
  int64_t frame_complete = 0;  ///< from code_begin; before it the frame is being built
  BlobKind kind = BlobKind::kStub;
  uint32_t name = 0;
  uint32_t serial = 0;        ///< no two blobs of a cache have the same; 0 once it was dropped
  uint32_t used_in = 0;       ///< the last period of its cache in which it was used
  uint64_t met_ns = 0;        ///< CLOCK_MONOTONIC, when it was read
  uint64_t confirmed_ns = 0;  ///< the same clock, when it was known to be there last
  /// How often the JVM had collected before that, as the stack of that moment tells.
  std::optional<uint32_t> collections = {};

  // Of compiled code.
  uint32_t compile_id = 0;  ///< tells a block that was freed and used again
  uint64_t method = 0;
  bool is_native_wrapper = false;
  uint64_t deopt_handler = 0;
  uint64_t deopt_mh_handler = 0;
  uint64_t original_pc_offset = 0;  ///< from the stack pointer
  uint64_t pc_descs = 0;
  uint64_t pc_descs_end = 0;
  uint64_t scopes = 0;
  uint64_t scopes_end = 0;
  uint64_t metadata = 0;
  uint64_t oop_maps = 0;  ///< 0 without a safepoint, and where the JVM does not tell

  bool Holds(uint64_t pc) const { return pc >= code_begin && pc < code_end; }
};

/// How many bytes of a blob ParseBlob needs.
size_t BlobHeaderBytes(const HotspotLayout& layout);

/// Reads the header of the blob at an address, whose name is known already. Nothing, if it cannot be one.
std::optional<CodeBlob> ParseBlob(const HotspotLayout& layout, std::span<const uint8_t> header,
                                  uint64_t address, const std::string& name);

}  // namespace flamegate
