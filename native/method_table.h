#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "class_signs.h"
#include "code_use.h"
#include "foreign_memory.h"
#include "hotspot_layout.h"

namespace flamegate {

/// What a method's names and lines are made of, as raw as the JVM has it: symbols in its modified UTF-8, the
/// compressed line table. Copied at first sight, for classes are unloaded.
struct NewMethod {
  uint32_t id;
  std::string holder;
  std::string name;
  std::string signature;
  std::string source_file;
  std::vector<uint8_t> line_table;
  bool is_line_table_cut;
};

/// The methods of a JVM that samples have hit, by number in order of first sight. What Find says of one is
/// certain when the next Settle has not named it.
class MethodTable {
 public:
  /// What of Kotlin's machinery a method is, and whose.
  enum class Role : uint8_t { kNone, kResumeWith, kInvokeSuspend };
  struct Part {
    Role role = Role::kNone;
    uint64_t constants = 0;  ///< of its class, which tells objects of that
  };
  struct Method {
    uint32_t id;
    uint32_t used_in = 0;  ///< the last period in which it was asked for
    uint64_t const_method;
    uint64_t code_begin;
    uint32_t code_size;
    ClassSigns holder;
  };

  MethodTable(ForeignMemory& memory, const HotspotLayout& layout) : memory_(memory), layout_(layout) {}

  /// Null, if that is no Method, or there are too many of them. Valid until the next call.
  const Method* Find(uint64_t address);
  /// Of the method that is there now; kUnknownMethod for those Find does not have.
  uint32_t IdOf(uint64_t address);
  /// Confirms those used since the last Settle, and drops those that are not there any more: their class was
  /// unloaded. A new period begins.
  void Settle(ReplacedCode& replaced);
  /// By a method's number.
  Part PartOf(uint32_t id) const;
  /// The text at the address of a symbol of the JVM, in its modified UTF-8.
  std::optional<std::string> Symbol(uint64_t address);
  std::vector<NewMethod> TakeNew() { return std::exchange(new_methods_, {}); }

 private:
  using Methods = std::unordered_map<uint64_t, Method>;

  const Method* Used(uint64_t address, Method& method);
  const Method* Read(uint64_t address);
  std::optional<std::string> Text(uint64_t address, std::span<const uint8_t> beginning);
  bool ReadNames(std::span<const uint8_t> header, Method& method, NewMethod& names);
  void ReadLineTable(const Method& method, NewMethod& into);
  void AppendPlacesOf(const Methods::value_type& each, std::vector<uint64_t>& places) const;
  void Drop(Methods::iterator method);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  Methods methods_;
  std::unordered_map<uint32_t, Part> parts_;  ///< by number, of those that have a role
  std::vector<NewMethod> new_methods_;
  std::vector<uint64_t> used_;      ///< in this period
  std::vector<uint32_t> replaced_;  ///< numbers of those dropped in it
  uint32_t last_id_ = 0;
  uint32_t period_ = 1;
};

}  // namespace flamegate
