#include "code_blob.h"

#include <algorithm>

#include "bytes.h"

namespace flamegate {
namespace {

constexpr uint64_t kMaxCodeBytes = 16 << 20;  // the interpreter of a debug build has 2 MB
constexpr int64_t kMaxFrameWords = 64 << 10;  // half of what a thread's stack usually has
constexpr size_t kMaxHeaderBytes = 1024;      // 352 in 17

// Reads members of a header whose offsets may not exist.
class Header {
 public:
  explicit Header(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t Pointer(int64_t offset) const { return UnsignedAt(bytes_, offset, 8); }
  int64_t Int(int64_t offset, int64_t width = 4) const { return SignedAt(bytes_, offset, width); }
  /// Either form: a pointer or, if there is none, an offset from `base`.
  uint64_t Place(int64_t pointer, int64_t offset, uint64_t base) const {
    if (pointer >= 0) return Pointer(pointer);
    return offset >= 0 ? base + static_cast<uint64_t>(Int(offset)) : 0;
  }

 private:
  std::span<const uint8_t> bytes_;
};

constexpr char kSubtypeCheck[] = "slow_subtype_check";

BlobKind KindOf(const std::string& name) {
  if (name == "nmethod" || name == "native nmethod") return BlobKind::kCompiled;
  if (name == "Interpreter") return BlobKind::kInterpreter;
  if (name.starts_with("I2C/C2I") || name.starts_with("MethodHandle")) return BlobKind::kAdapter;
  if (name.starts_with("vtable")) return BlobKind::kFrameless;
  // It pushes four registers and leaves the frame pointer alone, which is that of another frame then.
  if (name.find(kSubtypeCheck) != std::string::npos) return BlobKind::kFrameless;
  if (name.find("ontinuation") != std::string::npos) return BlobKind::kContinuation;
  return BlobKind::kStub;
}

// C1 pushes both classes before it calls for the check, and pops them afterwards.
uint64_t ArgumentBytes(const std::string& frameless) {
  return frameless.find(kSubtypeCheck) == std::string::npos ? 0 : 16;
}

// Up to 22 everything lies in the nmethod; then PcDescs and scopes moved to the immutable data, and in 25 the
// metadata to the mutable data, behind the relocations.
void ReadCompiled(const HotspotLayout& layout, const Header& header, CodeBlob& blob) {
  blob.compile_id = static_cast<uint32_t>(header.Int(layout.nmethod_compile_id));
  blob.method = header.Pointer(layout.nmethod_method);
  if (layout.code_blob_oop_maps >= 0) blob.oop_maps = header.Pointer(layout.code_blob_oop_maps);
  blob.original_pc_offset = static_cast<uint64_t>(header.Int(layout.nmethod_orig_pc_offset));
  blob.deopt_handler =
      header.Place(layout.nmethod_deopt_handler_begin, layout.nmethod_deopt_handler_offset, blob.address);
  blob.deopt_mh_handler = header.Place(layout.nmethod_deopt_mh_handler_begin,
                                       layout.nmethod_deopt_mh_handler_offset, blob.address);

  auto at = [&](uint64_t base, int64_t offset, int64_t width = 4) {
    return offset < 0 ? 0 : base + static_cast<uint64_t>(header.Int(offset, width));
  };
  if (layout.nmethod_immutable_data >= 0) {
    uint64_t immutable = header.Pointer(layout.nmethod_immutable_data);
    blob.pc_descs = at(immutable, layout.nmethod_scopes_pcs_offset);
    blob.scopes = at(immutable, layout.nmethod_scopes_data_offset);
    blob.pc_descs_end = blob.scopes;
    blob.scopes_end = at(immutable, layout.nmethod_immutable_data_size);
  } else {
    blob.pc_descs = at(blob.address, layout.nmethod_scopes_pcs_offset);
    blob.pc_descs_end = at(blob.address, layout.nmethod_dependencies_offset);
    blob.scopes =
        header.Place(layout.nmethod_scopes_data_begin, layout.nmethod_scopes_data_offset, blob.address);
    blob.scopes_end = blob.pc_descs;
  }
  if (layout.code_blob_mutable_data >= 0) {
    blob.metadata = at(header.Pointer(layout.code_blob_mutable_data), layout.code_blob_relocation_size);
  } else {
    uint64_t base =
        layout.nmethod_immutable_data >= 0 ? at(blob.address, layout.code_blob_data_offset) : blob.address;
    blob.metadata = at(base, layout.nmethod_metadata_offset, layout.nmethod_metadata_width);
  }
}

}  // namespace

size_t BlobHeaderBytes(const HotspotLayout& layout) {
  return std::clamp<size_t>(static_cast<size_t>(std::max<int64_t>(layout.nmethod_size, 0)), 64,
                            kMaxHeaderBytes);
}

std::optional<CodeBlob> ParseBlob(const HotspotLayout& layout, std::span<const uint8_t> bytes,
                                  uint64_t address, const std::string& name) {
  Header header(bytes);
  CodeBlob blob;
  blob.address = address;
  blob.kind = KindOf(name);
  blob.code_begin = header.Place(layout.code_blob_code_begin, layout.code_blob_code_offset, address);
  blob.code_end = header.Place(layout.code_blob_code_end, layout.code_blob_data_offset, address);
  int64_t frame_words = header.Int(layout.code_blob_frame_size);
  blob.frame_complete =
      header.Int(layout.code_blob_frame_complete_offset, layout.code_blob_frame_complete_width);
  bool is_sane = blob.code_begin > address && blob.code_begin < blob.code_end &&
                 blob.code_end - blob.code_begin <= kMaxCodeBytes && frame_words <= kMaxFrameWords;
  if (!is_sane) return std::nullopt;
  blob.frame_bytes = frame_words < 0 ? 0 : static_cast<uint64_t>(frame_words) * 8;
  if (blob.kind == BlobKind::kCompiled) ReadCompiled(layout, header, blob);
  if (blob.kind == BlobKind::kFrameless) blob.frame_bytes = ArgumentBytes(name);
  blob.is_native_wrapper = name == "native nmethod";
  return blob;
}

}  // namespace flamegate
