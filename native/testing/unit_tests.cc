// What is pure in native/ and cannot be brought about at will by a living process. Prints what failed and how
// many.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cfi_expression.h"
#include "clock_jitter.h"
#include "frame_word.h"
#include "hotspot_layout.h"
#include "hotspot_shape.h"
#include "memory_map.h"
#include "stack_record.h"
#include "unsigned5.h"
#include "x86_64.h"

namespace flamegate {
namespace {

int failures = 0;

void Expect(bool holds, const char* sentence) {
  if (holds) return;
  failures++;
  printf("not so: %s\n", sentence);
}

void TestUnsigned5() {
  const uint8_t bytes[] = {1, 191, 192, 1, 255, 255, 255, 255, 255, 7};
  Unsigned5Reader reader(bytes, 0, 1);
  Expect(reader.Next() == 0, "with zero excluded, 1 is 0");
  Expect(reader.Next() == 190, "190 is the last of one digit");
  Expect(reader.Next() == 191, "191 is the first of two");
  Expect(reader.Next() == 254 + (254u << 6) + (254u << 12) + (254u << 18) + (254u << 24),
         "a number has five digits at most");
  Expect(reader.Position() == 9, "and no more are read");
  const uint8_t zero[] = {0};
  Unsigned5Reader excluded(zero, 0, 1);
  excluded.Next();
  Expect(excluded.Failed(), "an excluded byte is no number");
  const uint8_t cut[] = {200, 200};
  Unsigned5Reader short_one(cut, 0, 0);
  short_one.Next();
  Expect(short_one.Failed(), "a number that does not end fails");
}

void TestClockJitter() {
  constexpr uint64_t kSecond = 1'000'000'000;
  constexpr int kTurns = 10'000;
  for (uint32_t frequency : {19u, 49u, 199u}) {
    uint64_t ticks = 0;
    uint64_t shortest = kSecond;
    uint64_t longest = 0;
    for (int i = 0; i < kTurns; i++) {
      uint64_t period = JitteredPeriod(frequency, kSecond, static_cast<uint32_t>(i) * (UINT32_MAX / kTurns));
      ticks += kSecond / period;
      shortest = std::min(shortest, period);
      longest = std::max(longest, period);
    }
    double got = static_cast<double>(ticks) / (static_cast<double>(frequency) * kTurns);
    Expect(got > 0.998 && got < 1.002, "jittered clocks tick as often as their frequency says");
    Expect(static_cast<double>(longest) > 1.2 * static_cast<double>(shortest),
           "and their periods differ by a fifth");
  }
}

void TestMemoryMap() {
  MemoryMap map;
  map.Parse(
      "1000-2000 r--p 00000000 fd:01 7 /lib/libc.so\n"
      "2000-4000 r-xp 00001000 fd:01 7 /lib/libc.so\n"
      "5000-6000 r-xp 00001000 fd:01 8 /lib/no beginning.so\n"
      "7000-8000 rwxp 00000000 00:00 0\n"
      "9000-a000 r-xp 00000000 00:00 0 [vdso]\n"
      "garbage\n\n-\n9-8 r-xp\n");
  Expect(map.Find(0x1000) == nullptr, "what is not executable is not in the map");
  Expect(map.Find(0x3fff) != nullptr && map.Find(0x3fff)->image == 0x1000, "code has its file's beginning");
  Expect(map.Find(0x4000) == nullptr, "the end does not belong to a range");
  Expect(map.Find(0x5000) != nullptr && map.Find(0x5000)->image == 0,
         "a file without its beginning has none");
  Expect(map.Find(0x7fff) != nullptr && map.Find(0x7fff)->image == 0, "nor has memory without a file");
  Expect(map.Find(0x9000) != nullptr && map.Find(0x9000)->image == 0x9000, "the vdso is a file, too");
  Expect(map.Ranges().size() == 4, "lines that are none are passed over");
}

void TestCfiExpressions() {
  Registers registers = {};
  registers[kStackPointer] = 0x1000;
  registers[kInstructionPointer] = 0x2b;
  const uint64_t words[] = {0x11, 0x22};
  StackCopy stack(0x1000, {reinterpret_cast<const uint8_t*>(words), sizeof(words)}, false);
  auto value = [&](std::span<const uint8_t> bytes) {
    return EvaluateCfiExpression(bytes, registers, stack, 0);
  };
  // Of the procedure linkage table: rsp + 8 + ((rip & 15) >= 11) * 8.
  const uint8_t plt[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
  Expect(value(plt) == 0x1010, "the linkage table's expression");
  const uint8_t saved[] = {0x77, 8, 0x06};
  Expect(value(saved) == 0x22, "a word of the stack");
  const uint8_t beyond[] = {0x77, 0x80, 1, 0x06};
  Expect(!value(beyond), "a word beyond the copy is none");
  const uint8_t empty[] = {0x22, 0x22};
  Expect(!value(empty), "operands that are not there");
  const uint8_t unknown[] = {0x2f, 0, 0};
  Expect(!value(unknown), "branches are not taken");
}

FrameShape ShapeOf(std::initializer_list<uint8_t> before, std::initializer_list<uint8_t> at,
                   bool is_complete) {
  std::array<uint8_t, FG_CODE_BYTES> code = {};
  std::copy(before.begin(), before.end(), code.begin() + FG_CODE_BYTES_BEFORE - before.size());
  std::copy(at.begin(), at.end(), code.begin() + FG_CODE_BYTES_BEFORE);
  return CompiledShape(code, is_complete);
}

void TestShapes() {
  Expect(ShapeOf({}, {0x55}, false) == FrameShape::kReturnAddress, "before push rbp");
  Expect(ShapeOf({0x55}, {0x48, 0x83, 0xec, 0x20}, false) == FrameShape::kPushedFramePointer,
         "after push rbp");
  Expect(ShapeOf({0x90}, {0x48, 0x81, 0xec}, false) == FrameShape::kReturnAddress, "before sub rsp");
  Expect(ShapeOf({}, {0x48, 0x89, 0x6c, 0x24}, false) == FrameShape::kFramePointerNotYetStored,
         "before rbp is stored");
  Expect(ShapeOf({}, {0x41, 0x81, 0x7f}, false) == FrameShape::kWhole, "at the entry barrier");
  Expect(ShapeOf({}, {0x5d, 0x49, 0x3b, 0xa7}, true) == FrameShape::kPushedFramePointer, "at pop rbp");
  Expect(ShapeOf({}, {0x49, 0x3b, 0xa7, 0, 0, 0, 0, 0x0f, 0x87}, true) == FrameShape::kReturnAddress,
         "at the poll");
  Expect(ShapeOf({}, {0xc3}, true) == FrameShape::kReturnAddress, "at ret");
  Expect(ShapeOf({}, {0x48, 0x8b, 0x45}, true) == FrameShape::kWhole, "anywhere else");
  Expect(CompiledShape({}, true) == FrameShape::kWhole, "without code a complete frame is whole");
}

void TestRecords() {
  std::array<uint8_t, sizeof(fg_cpu_stack_header) + 24> bytes = {};
  auto* header = reinterpret_cast<fg_cpu_stack_header*>(bytes.data());
  header->sample.kernel_frames = 1;
  header->stack_bytes = 16;
  Expect(ParseStackRecord(bytes).has_value(), "a record of its own length");
  header->stack_bytes = 17;
  Expect(!ParseStackRecord(bytes), "a stack longer than the record");
  header->stack_bytes = FG_MAX_STACK_BYTES + 1;
  Expect(!ParseStackRecord(bytes), "a stack longer than can be");
  Expect(!ParseStackRecord(std::span(bytes).first(100)), "half a header");
}

void TestLayout() {
  Expect(FaultIn(HotspotLayout()) != nullptr, "a JVM without anything is none");
  Expect(std::string_view(FaultIn(HotspotLayout())) == kHotspotLayoutNames[0], "the first fault is named");
}

}  // namespace
}  // namespace flamegate

int main() {
  flamegate::TestUnsigned5();
  flamegate::TestClockJitter();
  flamegate::TestMemoryMap();
  flamegate::TestCfiExpressions();
  flamegate::TestShapes();
  flamegate::TestRecords();
  flamegate::TestLayout();
  printf("%d failed\n", flamegate::failures);
  return flamegate::failures == 0 ? 0 : 1;
}
