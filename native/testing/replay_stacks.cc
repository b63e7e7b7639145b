// Unwinds recorded stacks: `replay-stacks FILE`, or `replay-stacks FILE cold`, where nothing is remembered
// from one stack to the next. Needs no JVM, no BPF and no privilege. Prints what the addon would hand over,
// in lines of words apart by tabs: `recording NAME`, for each stack `stack FLAGS STACK_BYTES` with its
// `kernel` and `frame` lines, leaf first, and before them the `method`, `name` and `class` lines of what it
// is the first to refer to; at the end of a recording its `count`s.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "one_stack.h"
#include "replayed_process.h"
#include "stack_recording.h"

namespace flamegate {
namespace {

constexpr int kUnusable = 2;
constexpr int kNotInRecording = 3;

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

int Replay(const StackRecording& recording, bool is_cold) {
  ReplayedProcess process(recording);
  printf("recording\t%s\n", recording.name.c_str());
  std::optional<UnwoundProcesses> processes;
  UnwindCounts counts;
  for (const RingRecord& record : recording.records) {
    if (!processes || is_cold) Watch(processes.emplace(), recording);
    std::optional<OneStack> stack = UnwindOne(*processes, record.Bytes());
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

int Main(int argc, char** argv) {
  bool is_cold = argc == 3 && strcmp(argv[2], "cold") == 0;
  if (argc != 2 && !is_cold) {
    fputs("usage: replay-stacks FILE [cold]\n", stderr);
    return kUnusable;
  }
  std::string why_not;
  auto recordings = ReadRecordings(argv[1], why_not);
  if (!recordings) {
    fprintf(stderr, "%s is no recording of this version (%s): make record-jvm\n", argv[1], why_not.c_str());
    return kUnusable;
  }
  for (const StackRecording& recording : *recordings) {
    int failed = Replay(recording, is_cold);
    if (failed != 0) return failed;
  }
  return 0;
}

}  // namespace
}  // namespace flamegate

int main(int argc, char** argv) {
  return flamegate::Main(argc, argv);
}
