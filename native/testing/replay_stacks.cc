// Unwinds recorded stacks: `replay-stacks FILE`, or with one word more: `cold`, where nothing is remembered
// from one stack to the next; `forgetful`, where only what the last stack needed is; `same-code` and
// `other-code`, where all is read later than the stacks were copied, and the code that they ran is there
// still, or something else is. Needs no JVM, no BPF and no privilege. Prints what the addon would hand over,
// in lines of words apart by tabs: `recording NAME`, for each stack `stack FLAGS STACK_BYTES` with its
// `kernel` and `frame` lines, leaf first, and before them the `method`, `name` and `class` lines of what it
// is the first to refer to; at the end of a recording its `count`s.
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "one_stack.h"
#include "replayed_process.h"
#include "stack_recording.h"
#include "x86_64.h"

namespace flamegate {
namespace {

constexpr int kUnusable = 2;
constexpr int kNotInRecording = 3;
constexpr uint64_t kLongTimeNs = 3'600'000'000'000;

enum class Circumstance : uint8_t { kUsual, kCold, kForgetful, kSameCode, kOtherCode };

fg_cpu_stack_header HeaderOf(const RingRecord& record) {
  fg_cpu_stack_header header = {};
  std::span<const uint8_t> bytes = record.Bytes();
  memcpy(&header, bytes.data(), std::min(sizeof(header), bytes.size()));
  return header;
}

void PrintNews(UnwoundProcesses& processes) {
  for (const ProcessNews& news : processes.TakeNews()) {
    for (const NewMethod& method : news.methods) {
      printf("method\t%u\t%s\t%s\t%s\t%s\t", method.id, method.holder.c_str(), method.name.c_str(),
             method.signature.c_str(), method.source_file.c_str());
      for (uint8_t byte : method.line_table) printf("%02x", byte);
      puts("");
    }
    for (const NewName& name : news.names) printf("name\t%u\t%s\n", name.id, name.text.c_str());
    for (const NewClass& each : news.classes) printf("class\t%u\t%s\n", each.id, each.name.c_str());
  }
}

void PrintStack(const RingRecord& record, const std::optional<OneStack>& stack) {
  fg_cpu_stack_header header = HeaderOf(record);
  printf("stack\t%x\t%u\n", header.sample.flags, header.stack_bytes);
  if (!stack) return;
  for (uint64_t frame : stack->kernel) printf("kernel\t%" PRIx64 "\n", frame);
  for (uint64_t frame : stack->user) printf("frame\t%" PRIx64 "\n", frame);
}

void PrintCounts(const UnwindCounts& counts) {
  printf("count\tcomplete\t%" PRIu64 "\n", counts.complete);
  printf("count\tinPause\t%" PRIu64 "\n", counts.in_pause);
  for (size_t i = 0; i < counts.chains.by_end.size(); i++)
    printf("count\tchain%zu\t%" PRIu64 "\n", i, counts.chains.by_end[i]);
}

void Watch(UnwoundProcesses& processes, const StackRecording& recording) {
  Aggregate unused(1);
  uint32_t pid = recording.records.empty() ? 0 : HeaderOf(recording.records[0]).sample.pid;
  processes.Add(pid, recording.layout, unused);
  if (recording.heap) processes.FollowCoroutines(pid, *recording.heap);
}

// What is at the place where each stack was interrupted.
void LearnCode(StackRecording& recording, bool is_same) {
  for (const RingRecord& record : recording.records) {
    fg_cpu_stack_header header = HeaderOf(record);
    for (uint8_t& byte : header.code) byte = static_cast<uint8_t>(is_same ? byte : ~byte);
    recording.memory.Learn(header.registers[kInstructionPointer] - FG_CODE_BYTES_BEFORE, header.code);
  }
}

int Replay(StackRecording& recording, Circumstance circumstance) {
  bool is_cold = circumstance == Circumstance::kCold;
  bool is_read_later = circumstance == Circumstance::kSameCode || circumstance == Circumstance::kOtherCode;
  if (is_read_later) LearnCode(recording, circumstance == Circumstance::kSameCode);
  ReplayedProcess process(recording);
  printf("recording\t%s\n", recording.name.c_str());
  std::optional<UnwoundProcesses> processes;
  UnwindCounts counts;
  Aggregate forgotten(1);
  uint64_t now_ns = 0;
  for (const RingRecord& record : recording.records) {
    if (!processes || is_cold) Watch(processes.emplace(), recording);
    if (circumstance == Circumstance::kForgetful) processes->SettleDue(now_ns += kLongTimeNs, forgotten);
    std::optional<OneStack> stack = UnwindOne(*processes, record.Bytes(), is_read_later ? 0 : UINT64_MAX);
    PrintNews(*processes);
    PrintStack(record, stack);
    if (is_cold) counts.Add(processes->Counts());
    if (process.Unknown()) {
      fprintf(stderr, "read of 0x%" PRIx64 " not in the recording: make record-jvm\n", *process.Unknown());
      return kNotInRecording;
    }
  }
  if (processes && !is_cold) counts.Add(processes->Counts());
  PrintCounts(counts);
  return 0;
}

std::optional<Circumstance> CircumstanceOf(std::string_view word) {
  if (word == "cold") return Circumstance::kCold;
  if (word == "forgetful") return Circumstance::kForgetful;
  if (word == "same-code") return Circumstance::kSameCode;
  return word == "other-code" ? std::optional(Circumstance::kOtherCode) : std::nullopt;
}

int Main(int argc, char** argv) {
  std::optional<Circumstance> circumstance = argc == 2 ? std::optional(Circumstance::kUsual) : std::nullopt;
  if (argc == 3) circumstance = CircumstanceOf(argv[2]);
  if (!circumstance) {
    fputs("usage: replay-stacks FILE [cold|forgetful|same-code|other-code]\n", stderr);
    return kUnusable;
  }
  std::string why_not;
  auto recordings = ReadRecordings(argv[1], why_not);
  if (!recordings) {
    fprintf(stderr, "%s is no recording of this version (%s): make record-jvm\n", argv[1], why_not.c_str());
    return kUnusable;
  }
  for (StackRecording& recording : *recordings) {
    int failed = Replay(recording, *circumstance);
    if (failed != 0) return failed;
  }
  return 0;
}

}  // namespace
}  // namespace flamegate

int main(int argc, char** argv) {
  return flamegate::Main(argc, argv);
}
