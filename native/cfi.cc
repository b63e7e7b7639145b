#include "cfi.h"

#include "cfi_expression.h"
#include "dwarf_reader.h"
#include "x86_64.h"

namespace flamegate {
namespace {

// DW_CFA_remember_state: compilers nest one or two deep.
constexpr size_t kMaxRemembered = 16;

struct Cie {
  uint64_t code_alignment = 0;
  int64_t data_alignment = 0;
  uint8_t pointer_encoding = 0;
  bool has_augmentation = false;
  bool is_signal = false;
  std::span<const uint8_t> program;
};

// The letters of the augmentation: z length, R encoding of pointers, P personality, L language data, S
// signal.
std::optional<Cie> ParseCie(std::span<const uint8_t> bytes, uint64_t address) {
  DwarfReader reader(bytes, address);
  if (reader.Unsigned(4) != 0) return std::nullopt;  // the id
  auto version = static_cast<uint8_t>(reader.Unsigned(1));
  std::array<char, 8> letters = {};
  size_t letter_count = 0;
  while (auto letter = static_cast<char>(reader.Unsigned(1))) {
    if (letter_count == letters.size()) return std::nullopt;
    letters[letter_count++] = letter;
  }
  Cie cie;
  cie.code_alignment = reader.Uleb();
  cie.data_alignment = reader.Sleb();
  uint64_t return_register = version == 1 ? reader.Unsigned(1) : reader.Uleb();
  if (return_register != kInstructionPointer) return std::nullopt;
  if (letter_count > 0 && letters[0] == 'z') {
    cie.has_augmentation = true;
    DwarfReader augmentation(bytes, address);
    uint64_t length = reader.Uleb();
    uint64_t start = reader.Address();
    augmentation = DwarfReader(reader.Take(length), start);
    for (char letter : std::span(letters).subspan(1, letter_count - 1)) {
      if (letter == 'R') cie.pointer_encoding = static_cast<uint8_t>(augmentation.Unsigned(1));
      if (letter == 'L') augmentation.Unsigned(1);
      if (letter == 'P') augmentation.PointerSized(static_cast<uint8_t>(augmentation.Unsigned(1)));
      if (letter == 'S') cie.is_signal = true;
    }
  }
  cie.program = reader.Rest();
  return reader.Failed() ? std::nullopt : std::optional(cie);
}

struct Fde {
  CfiRange range;
  std::span<const uint8_t> program;
  uint64_t program_address;
};

std::optional<Fde> ParseFde(const Cie& cie, std::span<const uint8_t> bytes, uint64_t address) {
  DwarfReader reader(bytes, address);
  reader.Unsigned(4);  // how far the CIE is
  Fde fde = {};
  fde.range.begin = reader.Pointer(cie.pointer_encoding);
  fde.range.length = reader.PointerSized(cie.pointer_encoding);
  if (cie.has_augmentation) reader.Take(reader.Uleb());
  fde.program = reader.Rest();
  fde.program_address = reader.Address();
  return reader.Failed() ? std::nullopt : std::optional(fde);
}

// Runs the instructions of one description up to an address.
class CfiMachine {
 public:
  CfiMachine(const Cie& cie, uint64_t location, uint64_t pc) : cie_(cie), location_(location), pc_(pc) {
    row_.is_signal = cie.is_signal;
  }

  bool Run(std::span<const uint8_t> program, uint64_t address) {
    DwarfReader reader(program, address);
    while (!reader.AtEnd() && location_ <= pc_) {
      if (!Step(reader) || reader.Failed()) return false;
    }
    return true;
  }
  void KeepInitial() { initial_ = row_.registers; }
  CfiRow TakeRow() { return std::move(row_); }

 private:
  struct Remembered {
    CfiRule cfa;
    int32_t cfa_offset;
    std::array<CfiRule, FG_REGISTERS> registers;
  };

  bool Step(DwarfReader& reader) {
    auto op = static_cast<uint8_t>(reader.Unsigned(1));
    uint64_t low = op & 0x3f;
    switch (op >> 6) {
      case 1:
        Advance(low);
        return true;
      case 2:
        Set(low, {CfiRule::kSavedAt, 0, Scaled(static_cast<int64_t>(reader.Uleb()))});
        return true;
      case 3:
        Restore(low);
        return true;
      default:
        return Extended(op, reader);
    }
  }

  // DW_CFA_*, in the standard's order.
  bool Extended(uint8_t op, DwarfReader& reader) {
    switch (op) {
      case 0x00:
        return true;
      case 0x01:
        location_ = reader.Pointer(cie_.pointer_encoding);
        return true;
      case 0x02:
        Advance(reader.Unsigned(1));
        return true;
      case 0x03:
        Advance(reader.Unsigned(2));
        return true;
      case 0x04:
        Advance(reader.Unsigned(4));
        return true;
      case 0x06:
        Restore(reader.Uleb());
        return true;
      case 0x07:
        Set(reader.Uleb(), {CfiRule::kUndefined, 0, 0});
        return true;
      case 0x08:
        Set(reader.Uleb(), {});
        return true;
      case 0x0a:
        return Remember();
      case 0x0b:
        return Recall();
      case 0x0d:
        row_.cfa = {CfiRule::kRegister, 0, static_cast<int32_t>(reader.Uleb())};
        return true;
      case 0x0e:
        row_.cfa_offset = static_cast<int32_t>(reader.Uleb());
        return true;
      case 0x0f:
        row_.cfa = Expression(CfiRule::kValueIsExpression, reader);
        return true;
      case 0x13:
        row_.cfa_offset = Scaled(reader.Sleb());
        return true;
      case 0x2e:
        reader.Uleb();
        return true;  // DW_CFA_GNU_args_size
      default:
        return WithRegister(op, reader);
    }
  }

  bool WithRegister(uint8_t op, DwarfReader& reader) {
    uint64_t number = reader.Uleb();
    switch (op) {
      case 0x05:
        Set(number, {CfiRule::kSavedAt, 0, Scaled(static_cast<int64_t>(reader.Uleb()))});
        return true;
      case 0x09:
        Set(number, {CfiRule::kRegister, 0, static_cast<int32_t>(reader.Uleb())});
        return true;
      case 0x0c:
        SetCfa(number, static_cast<int32_t>(reader.Uleb()));
        return true;
      case 0x10:
        Set(number, Expression(CfiRule::kSavedAtExpression, reader));
        return true;
      case 0x11:
        Set(number, {CfiRule::kSavedAt, 0, Scaled(reader.Sleb())});
        return true;
      case 0x12:
        SetCfa(number, Scaled(reader.Sleb()));
        return true;
      case 0x14:
        Set(number, {CfiRule::kValueIs, 0, Scaled(static_cast<int64_t>(reader.Uleb()))});
        return true;
      case 0x15:
        Set(number, {CfiRule::kValueIs, 0, Scaled(reader.Sleb())});
        return true;
      case 0x16:
        Set(number, Expression(CfiRule::kValueIsExpression, reader));
        return true;
      default:
        return false;
    }
  }

  // What comes after pc's row does not concern us; Run ends when location_ has passed it.
  void Advance(uint64_t units) { location_ += units * cie_.code_alignment; }
  int32_t Scaled(int64_t factored) const { return static_cast<int32_t>(factored * cie_.data_alignment); }
  void Set(uint64_t number, CfiRule rule) {
    if (number < row_.registers.size()) row_.registers[number] = rule;  // others are vector registers
  }
  void SetCfa(uint64_t number, int32_t offset) {
    row_.cfa = {CfiRule::kRegister, 0, static_cast<int32_t>(number)};
    row_.cfa_offset = offset;
  }
  void Restore(uint64_t number) {
    if (number < row_.registers.size()) row_.registers[number] = initial_[number];
  }
  CfiRule Expression(CfiRule::Kind kind, DwarfReader& reader) {
    std::span<const uint8_t> bytes = reader.Take(reader.Uleb());
    auto begin = static_cast<int32_t>(row_.expressions.size());
    row_.expressions.insert(row_.expressions.end(), bytes.begin(), bytes.end());
    return {kind, static_cast<uint16_t>(bytes.size()), begin};
  }
  bool Remember() {
    if (remembered_.size() == kMaxRemembered) return false;
    remembered_.push_back({row_.cfa, row_.cfa_offset, row_.registers});
    return true;
  }
  bool Recall() {
    if (remembered_.empty()) return false;
    row_.cfa = remembered_.back().cfa;
    row_.cfa_offset = remembered_.back().cfa_offset;
    row_.registers = remembered_.back().registers;
    remembered_.pop_back();
    return true;
  }

  const Cie& cie_;
  uint64_t location_;
  uint64_t pc_;
  CfiRow row_;
  std::array<CfiRule, FG_REGISTERS> initial_ = {};
  std::vector<Remembered> remembered_;
};

// A rule's value, if it can be had.
std::optional<uint64_t> ValueOf(const CfiRow& row, const CfiRule& rule, uint64_t cfa, const Registers& before,
                                size_t number, const StackCopy& stack) {
  auto expression = [&] {
    std::span<const uint8_t> all = row.expressions;
    return EvaluateCfiExpression(all.subspan(static_cast<size_t>(rule.value), rule.length), before, stack,
                                 cfa);
  };
  switch (rule.kind) {
    case CfiRule::kSame:
    case CfiRule::kUndefined:
      return before[number];
    case CfiRule::kSavedAt:
      return stack.Word(cfa + static_cast<uint64_t>(int64_t{rule.value}));
    case CfiRule::kValueIs:
      return cfa + static_cast<uint64_t>(int64_t{rule.value});
    case CfiRule::kRegister:
      if (static_cast<size_t>(rule.value) >= before.size()) return std::nullopt;
      return before[static_cast<size_t>(rule.value)];
    case CfiRule::kSavedAtExpression: {
      std::optional<uint64_t> address = expression();
      return address ? stack.Word(*address) : std::nullopt;
    }
    case CfiRule::kValueIsExpression:
      return expression();
  }
  return std::nullopt;
}

}  // namespace

std::optional<CfiRange> CfiRangeOf(const CfiBytes& bytes) {
  std::optional<Cie> cie = ParseCie(bytes.common, bytes.common_address);
  std::optional<Fde> fde = cie ? ParseFde(*cie, bytes.description, bytes.description_address) : std::nullopt;
  return fde ? std::optional(fde->range) : std::nullopt;
}

std::optional<CfiRow> CfiRowAt(const CfiBytes& bytes, uint64_t pc) {
  std::optional<Cie> cie = ParseCie(bytes.common, bytes.common_address);
  std::optional<Fde> fde = cie ? ParseFde(*cie, bytes.description, bytes.description_address) : std::nullopt;
  if (!fde || pc - fde->range.begin >= fde->range.length) return std::nullopt;
  CfiMachine machine(*cie, fde->range.begin, pc);
  if (!machine.Run(cie->program, bytes.common_address)) return std::nullopt;
  machine.KeepInitial();
  if (!machine.Run(fde->program, fde->program_address)) return std::nullopt;
  return machine.TakeRow();
}

CfiStep ApplyCfi(const CfiRow& row, const StackCopy& stack, Registers& registers) {
  uint64_t cfa = 0;
  if (row.cfa.kind == CfiRule::kRegister && static_cast<size_t>(row.cfa.value) < registers.size()) {
    cfa = registers[static_cast<size_t>(row.cfa.value)] + static_cast<uint64_t>(int64_t{row.cfa_offset});
  } else if (auto value = ValueOf(row, row.cfa, 0, registers, kStackPointer, stack)) {
    cfa = *value;
  } else {
    return CfiStep::kUnreadable;
  }

  if (row.registers[kInstructionPointer].kind == CfiRule::kUndefined) return CfiStep::kOutermost;
  Registers caller = registers;
  caller[kStackPointer] = cfa;
  for (size_t number = 0; number < registers.size(); number++) {
    const CfiRule& rule = row.registers[number];
    if (rule.kind == CfiRule::kSame || rule.kind == CfiRule::kUndefined) continue;
    std::optional<uint64_t> value = ValueOf(row, rule, cfa, registers, number, stack);
    if (value) caller[number] = *value;
    if (!value && number == kInstructionPointer) {
      registers[kStackPointer] = cfa;  // tells where the copy fell short
      return CfiStep::kUnreadable;
    }
  }
  registers = caller;
  return CfiStep::kCaller;
}

}  // namespace flamegate
