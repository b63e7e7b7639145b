#include "cfi_expression.h"

#include <array>

#include "dwarf_reader.h"

namespace flamegate {
namespace {

class ExpressionStack {
 public:
  void Push(uint64_t value) {
    if (size_ == values_.size())
      failed_ = true;
    else
      values_[size_++] = value;
  }
  uint64_t Pop() {
    if (size_ == 0) failed_ = true;
    return size_ == 0 ? 0 : values_[--size_];
  }
  bool Failed() const { return failed_; }

 private:
  std::array<uint64_t, 16> values_;  // those seen need three
  size_t size_ = 0;
  bool failed_ = false;
};

std::optional<uint64_t> Binary(uint8_t op, uint64_t left, uint64_t right) {
  auto signed_left = static_cast<int64_t>(left);
  auto signed_right = static_cast<int64_t>(right);
  switch (op) {
    case 0x1a:
      return left & right;
    case 0x1c:
      return left - right;
    case 0x1e:
      return left * right;
    case 0x21:
      return left | right;
    case 0x22:
      return left + right;
    case 0x24:
      return right < 64 ? left << right : 0;
    case 0x25:
      return right < 64 ? left >> right : 0;
    case 0x29:
      return left == right;
    case 0x2a:
      return signed_left >= signed_right;
    case 0x2b:
      return signed_left > signed_right;
    case 0x2c:
      return signed_left <= signed_right;
    case 0x2d:
      return signed_left < signed_right;
    case 0x2e:
      return left != right;
    default:
      return std::nullopt;
  }
}

}  // namespace

// Without branches: as many steps as bytes at the most.
std::optional<uint64_t> EvaluateCfiExpression(std::span<const uint8_t> expression, const Registers& registers,
                                              const StackCopy& memory, uint64_t cfa) {
  DwarfReader reader(expression, 0);
  ExpressionStack stack;
  stack.Push(cfa);
  while (!reader.AtEnd()) {
    auto op = static_cast<uint8_t>(reader.Unsigned(1));
    if (op >= 0x30 && op < 0x50) {  // DW_OP_lit0 …
      stack.Push(op - 0x30);
    } else if (op >= 0x70 && op < 0x90) {  // DW_OP_breg0 …
      size_t number = op - 0x70;
      if (number >= registers.size()) return std::nullopt;
      stack.Push(registers[number] + static_cast<uint64_t>(reader.Sleb()));
    } else if (op == 0x06) {  // DW_OP_deref
      std::optional<uint64_t> word = memory.Word(stack.Pop());
      if (!word) return std::nullopt;
      stack.Push(*word);
    } else if (op == 0x08 || op == 0x0a || op == 0x0c || op == 0x0e) {  // DW_OP_const1u, 2u, 4u, 8u
      stack.Push(reader.Unsigned(size_t{1} << ((op - 0x08) / 2)));
    } else if (op == 0x09 || op == 0x0b || op == 0x0d || op == 0x0f) {  // DW_OP_const1s …
      stack.Push(static_cast<uint64_t>(reader.Signed(size_t{1} << ((op - 0x09) / 2))));
    } else if (op == 0x10) {
      stack.Push(reader.Uleb());
    } else if (op == 0x11) {
      stack.Push(static_cast<uint64_t>(reader.Sleb()));
    } else if (op == 0x23) {  // DW_OP_plus_uconst
      stack.Push(stack.Pop() + reader.Uleb());
    } else {
      uint64_t right = stack.Pop();
      std::optional<uint64_t> value = Binary(op, stack.Pop(), right);
      if (!value) return std::nullopt;
      stack.Push(*value);
    }
    if (stack.Failed() || reader.Failed()) return std::nullopt;
  }
  uint64_t result = stack.Pop();
  return stack.Failed() ? std::nullopt : std::optional(result);
}

}  // namespace flamegate
