#include "method_table.h"

#include <algorithm>
#include <array>

#include "bytes.h"
#include "frame_word.h"
#include "unsigned5.h"

namespace flamegate {
namespace {

constexpr size_t kMaxMethods = 65'536;     // 100 bytes each; a large service has 10,000 that ever run
constexpr uint32_t kLastId = 1u << 31;     // the number of 32 bits never runs out
constexpr size_t kMaxNewMethods = 16'384;  // between two takes, 300 bytes each
constexpr size_t kMaxHeader = 256;         // ConstMethod has 56 bytes, ConstantPool 72
constexpr size_t kMaxSymbol = 4096;        // longer names are cut
constexpr size_t kUsualSymbol = 128;
constexpr size_t kMaxLineTable = 64 << 10;  // 65,535 bytecodes, a byte for each entry of most
constexpr size_t kUsualLineTable = 512;
constexpr uint64_t kPointerMask = ~uint64_t{1};  // the lowest bit of a pool slot marks unresolved ones
// By what one is known again: where its bytecodes are, and its class.
constexpr size_t kSigns = 1 + kClassSigns;

MethodTable::Role RoleOf(const NewMethod& method) {
  // A flow's collector has no state of its own: it resumes, on the spot, whom it passes on to.
  bool is_collector = method.holder == "kotlinx/coroutines/flow/internal/SafeCollector";
  if (method.name == "invokeSuspend" && !is_collector) return MethodTable::Role::kInvokeSuspend;
  bool is_resume =
      method.name == "resumeWith" && method.holder == "kotlin/coroutines/jvm/internal/BaseContinuationImpl";
  return is_resume ? MethodTable::Role::kResumeWith : MethodTable::Role::kNone;
}

// The bytes up to and with the zero that ends the table; all of them if it does not end.
size_t LineTableLength(std::span<const uint8_t> bytes, uint32_t excluded) {
  Unsigned5Reader reader(bytes, 0, excluded);
  size_t at = 0;
  while (at < bytes.size()) {
    uint8_t byte = bytes[at++];
    if (byte == 0) return at;
    if (byte != 0xff) continue;
    reader = Unsigned5Reader(bytes, at, excluded);
    reader.Next();
    reader.Next();
    at = reader.Position();
  }
  return bytes.size() + 1;
}

bool IsStill(const MethodTable::Method& method, std::span<const uint64_t> now) {
  return MayStillBe(now[0], method.const_method) && MayStillBe(now.subspan<1, kClassSigns>(), method.holder);
}

}  // namespace

const MethodTable::Method* MethodTable::Find(uint64_t address) {
  auto known = methods_.find(address);
  return known == methods_.end() ? Read(address) : Used(address, known->second);
}

const MethodTable::Method* MethodTable::Used(uint64_t address, Method& method) {
  if (std::exchange(method.used_in, period_) != period_) used_.push_back(address);
  return &method;
}

uint32_t MethodTable::IdOf(uint64_t address) {
  if (address == 0) return kUnknownMethod;
  if (auto known = methods_.find(address); known != methods_.end()) {
    std::vector<uint64_t> places;
    AppendPlacesOf(*known, places);
    uint64_t now[kSigns];
    memory_.Gather(places, now);
    if (!IsStill(known->second, now)) Drop(known);
  }
  const Method* method = Find(address);
  return method == nullptr ? kUnknownMethod : method->id;
}

MethodTable::Part MethodTable::PartOf(uint32_t id) const {
  auto known = parts_.find(id);
  return known == parts_.end() ? Part() : known->second;
}

const MethodTable::Method* MethodTable::Read(uint64_t address) {
  if (new_methods_.size() >= kMaxNewMethods || last_id_ == kLastId) return nullptr;
  auto const_method = memory_.Get<uint64_t>(address + static_cast<uint64_t>(layout_.method_const_method));
  if (!const_method || *const_method == 0) return nullptr;
  std::array<uint8_t, kMaxHeader> buffer;
  std::span header = std::span(buffer).first(static_cast<size_t>(layout_.const_method_size));
  if (!memory_.Read(*const_method, header)) return nullptr;

  Method method = {};
  method.id = last_id_ + 1;
  method.const_method = *const_method;
  method.code_begin = *const_method + header.size();
  method.code_size = static_cast<uint32_t>(UnsignedAt(header, layout_.const_method_code_size, 2));
  NewMethod names = {};
  names.id = method.id;
  if (!ReadNames(header, method, names)) return nullptr;
  uint64_t flags = UnsignedAt(header, layout_.const_method_flags, layout_.const_method_flags_width);
  if ((flags & static_cast<uint64_t>(layout_.const_method_has_linenumber_table)) != 0)
    ReadLineTable(method, names);

  Part part = {RoleOf(names), UnsignedAt(header, layout_.const_method_constants, 8)};
  last_id_++;
  new_methods_.push_back(std::move(names));
  if (methods_.size() >= kMaxMethods) methods_.clear();  // they get other numbers then
  if (parts_.size() >= kMaxMethods) parts_.clear();
  if (part.role != Role::kNone) parts_.emplace(method.id, part);
  return Used(address, methods_.emplace(address, method).first->second);
}

// Method-handle intrinsics have a pool of three slots and a stale index of their source file.
bool MethodTable::ReadNames(std::span<const uint8_t> header, Method& method, NewMethod& names) {
  uint64_t pool = UnsignedAt(header, layout_.const_method_constants, 8);
  std::array<uint8_t, kMaxHeader> buffer;
  std::span constants = std::span(buffer).first(static_cast<size_t>(layout_.constant_pool_size));
  if (pool == 0 || !memory_.Read(pool, constants)) return false;
  uint64_t length = UnsignedAt(constants, layout_.constant_pool_length, 4);
  auto slot = [&](uint64_t index) { return index < length ? pool + constants.size() + 8 * index : 0; };
  uint64_t klass = UnsignedAt(constants, layout_.constant_pool_pool_holder, 8);
  const uint64_t places[] = {slot(UnsignedAt(header, layout_.const_method_name_index, 2)),
                             slot(UnsignedAt(header, layout_.const_method_signature_index, 2)),
                             klass + static_cast<uint64_t>(layout_.klass_name),
                             slot(UnsignedAt(constants, layout_.constant_pool_source_file_name_index, 2))};
  uint64_t symbols[std::size(places)];
  memory_.Gather(places, symbols);

  size_t usual = static_cast<size_t>(layout_.symbol_body) + kUsualSymbol;
  std::vector<uint8_t> beginnings(std::size(symbols) * usual);
  std::vector<ForeignMemory::Piece> pieces;
  for (uint64_t& symbol : symbols) {
    symbol &= kPointerMask;
    pieces.push_back({symbol, std::span(beginnings).subspan(pieces.size() * usual, usual)});
  }
  bool has_source = UnsignedAt(constants, layout_.constant_pool_source_file_name_index, 2) != 0;
  if (!has_source) pieces.pop_back();
  memory_.ReadPieces(pieces);
  auto text = [&](size_t i) { return Text(symbols[i], pieces[i].into.first(pieces[i].got)); };
  auto name = text(0);
  auto signature = name ? text(1) : std::nullopt;
  auto holder = signature ? text(2) : std::nullopt;
  if (!holder) return false;
  method.holder = {klass, symbols[2], SymbolHead(UnsignedAt(pieces[2].into, 0, 8))};
  names.name = std::move(*name);
  names.signature = std::move(*signature);
  names.holder = std::move(*holder);
  if (has_source) names.source_file = text(3).value_or(std::string());
  return true;
}

void MethodTable::ReadLineTable(const Method& method, NewMethod& into) {
  uint64_t address = method.code_begin + method.code_size;
  std::vector<uint8_t>& bytes = into.line_table;
  auto excluded = static_cast<uint32_t>(layout_.unsigned5_excluded);
  for (size_t size = kUsualLineTable;; size *= 4) {
    bytes.resize(std::min(size, kMaxLineTable));
    bytes.resize(memory_.ReadSome(address, bytes));
    size_t length = LineTableLength(bytes, excluded);
    if (length <= bytes.size()) {
      bytes.resize(length);
      bytes.shrink_to_fit();
      return;
    }
    if (bytes.size() < size) {  // unreadable from here on, or beyond the bound
      into.is_line_table_cut = true;
      return;
    }
  }
}

std::optional<std::string> MethodTable::Symbol(uint64_t address) {
  auto body = static_cast<size_t>(layout_.symbol_body);
  std::vector<uint8_t> bytes(body + kUsualSymbol);
  if (address == 0) return std::nullopt;
  bytes.resize(memory_.ReadSome(address, bytes));
  return Text(address, bytes);
}

// Of a symbol whose beginning was read; the rest of a long one is read now.
std::optional<std::string> MethodTable::Text(uint64_t address, std::span<const uint8_t> beginning) {
  auto body = static_cast<size_t>(layout_.symbol_body);
  if (address == 0 || beginning.size() < body) return std::nullopt;
  size_t length = std::min(UnsignedAt(beginning, layout_.symbol_length, 2), uint64_t{kMaxSymbol});
  if (length == 0) return std::nullopt;
  std::vector<uint8_t> whole;
  if (beginning.size() < body + length) {
    whole.resize(body + length);
    if (!memory_.Read(address, whole)) return std::nullopt;
    beginning = whole;
  }
  return std::string(beginning.begin() + static_cast<ptrdiff_t>(body),
                     beginning.begin() + static_cast<ptrdiff_t>(body + length));
}

void MethodTable::AppendPlacesOf(const Methods::value_type& each, std::vector<uint64_t>& places) const {
  const auto& [address, method] = each;
  places.push_back(address + static_cast<uint64_t>(layout_.method_const_method));
  AppendPlaces(method.holder, layout_, places);
}

void MethodTable::Drop(Methods::iterator method) {
  replaced_.push_back(method->second.id);
  methods_.erase(method);
}

// A full table began anew meanwhile, and another method may have come where one was: what was used is not all
// there, and may be there twice.
void MethodTable::Settle(ReplacedCode& replaced) {
  std::erase_if(used_, [this](uint64_t address) { return !methods_.contains(address); });
  std::vector<uint64_t> places;
  for (uint64_t address : used_) AppendPlacesOf(*methods_.find(address), places);
  std::vector<uint64_t> now(places.size());
  memory_.Gather(places, std::span(now));
  for (size_t i = 0; i < used_.size(); i++) {
    auto method = methods_.find(used_[i]);
    if (method == methods_.end()) continue;
    if (!IsStill(method->second, std::span(now).subspan(i * kSigns, kSigns))) Drop(method);
  }
  replaced.methods.insert(replaced_.begin(), replaced_.end());
  replaced_.clear();
  used_.clear();
  period_++;
}

}  // namespace flamegate
