// Unwinds recorded stacks with something wrong in them or in what is read: `fuzz-stacks FILE SEED VARIANTS
// SECONDS`, until there were so many variants or so much time has passed (0: no such limit). The same seed
// has the same variants. Built with sanitizers; what does not hold ends it with the number of the variant.
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include "one_stack.h"
#include "replayed_process.h"
#include "stack_record.h"
#include "stack_recording.h"

namespace flamegate {
namespace {

// StackUnwinder ends a stack at 4,096; the last step may add what was inlined there and what waits in the
// heap.
constexpr size_t kMaxFrames = 4096 + 512;
constexpr size_t kMaxTogether = 4;
constexpr size_t kTopBytes = 2048;
constexpr uint32_t kMaxStacks = 4096;
constexpr unsigned kWatchdogSeconds = 300;  // of one variant, on the busiest machine

struct {
  uint64_t seed = 0;
  uint64_t variant = 0;
} now;

void TellVariant() {
  fprintf(stderr, "variant %" PRIu64 " of seed %" PRIu64 "\n", now.variant, now.seed);
}

void Expect(bool holds, const char* sentence) {
  if (holds) return;
  fprintf(stderr, "not so: %s\n", sentence);
  TellVariant();
  exit(1);
}

/// A recording, and what is known of it untouched.
struct Subject {
  const StackRecording* recording;
  uint32_t pid;
  std::vector<uint64_t> calls;   ///< for each of its records alone
  std::vector<uint64_t> parts;   ///< that are read then
  std::vector<OneStack> stacks;  ///< of each record alone
};

struct Outcome {
  std::vector<OneStack> stacks;  ///< distinct ones
  uint64_t failed_reads = 0;
  uint64_t calls = 0;
  uint64_t parts = 0;
  bool is_tampered = false;
};

struct Totals {
  uint64_t variants = 0;
  uint64_t tampered = 0;
  uint64_t changed = 0;
  uint64_t failed_reads = 0;
  uint64_t refused = 0;
  uint64_t longest = 0;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : engine_() % bound; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  uint64_t Word() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// What holds whatever is wrong: each record that is one becomes a stack of bounded length, and is counted as
// complete or as truncated; and failed reads are counted if and only if there were some.
Outcome Unwind(const Subject& subject, const StackRecording& recording, std::span<const RingRecord> records,
               const Tampering& tampering) {
  ReplayedProcess process(recording, tampering);
  UnwoundProcesses processes;
  Aggregate aggregate(kMaxStacks);
  processes.Add(subject.pid, recording.layout, aggregate);
  if (recording.heap) processes.FollowCoroutines(subject.pid, *recording.heap);
  uint64_t parsed = 0;
  for (const RingRecord& record : records) {
    std::optional<StackRecord> stack = ParseStackRecord(record.Bytes());
    if (!stack) continue;
    parsed++;
    stack->thread.time_ns = UINT64_MAX;  // another machine's clock: all code is to be confirmed
    processes.Unwind(*stack, aggregate);
    processes.SettleDue(stack->header->time_ns, aggregate);
  }
  processes.SettleAll(aggregate);
  processes.TakeNews();
  UnwindCounts counts = processes.Counts();

  uint64_t seen = 0;
  uint64_t truncated = 0;
  for (const auto& [target, tally] : aggregate.Tallies()) {
    seen += tally.taken + tally.table_full;
    truncated += tally.truncated;
  }
  Expect(seen == parsed, "each record is counted once");
  Expect(counts.complete <= parsed && counts.complete + truncated >= parsed,
         "a stack is complete, or truncated");
  Expect((process.FailedCalls() > 0) == (counts.failed_reads > 0), "failed reads are counted");
  Outcome outcome = {StacksIn(aggregate), counts.failed_reads, process.Calls(), process.Parts(),
                     process.IsTampered()};
  for (const OneStack& stack : outcome.stacks) {
    Expect(stack.user.size() <= kMaxFrames, "a stack has no more frames than allowed");
    Expect(stack.kernel.size() <= FG_MAX_KERNEL_FRAMES, "nor has its part of the kernel");
  }
  return outcome;
}

Subject SubjectOf(const StackRecording& recording) {
  Subject subject = {&recording, 0, {}, {}, {}};
  for (const RingRecord& record : recording.records) {
    fg_cpu_sample_header header;
    memcpy(&header, record.Bytes().data(), sizeof(header));
    subject.pid = header.pid;
    Outcome outcome = Unwind(subject, recording, std::span(&record, 1), {});
    Expect(outcome.stacks.size() == 1, "a recorded stack is one");
    subject.calls.push_back(outcome.calls);
    subject.parts.push_back(outcome.parts);
    subject.stacks.push_back(std::move(outcome.stacks[0]));
  }
  return subject;
}

// Of what mistakes and malice make of a number: nothing, everything, nearly the same, a place in the stack.
uint64_t HostileWord(Random& random, std::span<const uint8_t> record) {
  const auto* header = reinterpret_cast<const fg_cpu_stack_header*>(record.data());
  uint64_t in_stack = header->stack_address + random.Below(FG_MAX_STACK_BYTES);
  const uint64_t words[] = {0,
                            ~uint64_t{0},
                            1,
                            uint64_t{1} << 47,
                            ~uint64_t{0} << 12,
                            header->registers[random.Below(FG_REGISTERS)],
                            in_stack,
                            in_stack & ~uint64_t{7},
                            random.Word()};
  return words[random.Below(std::size(words))];
}

Tampering TamperingOf(Random& random, const Subject& subject, size_t index) {
  Tampering tampering;
  if (random.OneIn(4)) {
    tampering.fail_every = static_cast<uint32_t>(1 + random.Below(subject.calls[index]));
    return tampering;
  }
  tampering.change_at = 1 + random.Below(subject.parts[index]);
  tampering.change_offset = random.Below(1 << 16);
  tampering.bit = static_cast<uint8_t>(random.Below(8));
  tampering.is_lasting = random.OneIn(2);
  if (random.OneIn(2)) tampering.word = HostileWord(random, subject.recording->records[index].Bytes());
  return tampering;
}

// The registers and numbers before the stack get as much as the frames near its top, and as the rest.
void TamperRecord(Random& random, RingRecord& record) {
  std::span<uint8_t> bytes = record.Bytes();
  const size_t ranges[] = {sizeof(fg_cpu_stack_header), sizeof(fg_cpu_stack_header) + kTopBytes,
                           bytes.size()};
  size_t range = std::min(ranges[random.Below(std::size(ranges))], bytes.size());
  if (random.OneIn(16)) {
    record.Truncate(random.Below(bytes.size()));
    return;
  }
  size_t at = random.Below(range);
  if (random.OneIn(2)) {
    bytes[at] ^= static_cast<uint8_t>(1u << random.Below(8));
    return;
  }
  uint64_t word = HostileWord(random, bytes);
  at -= at % sizeof(word);
  if (at + sizeof(word) <= bytes.size()) memcpy(bytes.data() + at, &word, sizeof(word));
}

// Numbers that the addon would refuse do not come so far.
bool TamperLayout(Random& random, StackRecording& recording) {
  int64_t numbers[kHotspotLayoutNames.size()];
  memcpy(numbers, &recording.layout, sizeof(numbers));
  int64_t& number = numbers[random.Below(std::size(numbers))];
  const int64_t wrong[] = {0,
                           -1,
                           number + 8,
                           static_cast<int64_t>(random.Below(1 << 16)),
                           number ^ (int64_t{1} << random.Below(63)),
                           numbers[random.Below(std::size(numbers))]};
  number = wrong[random.Below(std::size(wrong))];
  recording.layout = LayoutOf(numbers);
  return FaultIn(recording.layout) == nullptr;
}

void TamperMaps(Random& random, StackRecording& recording) {
  std::string& maps = recording.maps;
  for (uint64_t i = 1 + random.Below(4); i > 0 && !maps.empty(); i--)
    maps[random.Below(maps.size())] ^= static_cast<char>(1u << random.Below(7));
}

void TryVariant(Random& random, const Subject& subject, Totals& totals) {
  const std::vector<RingRecord>& all = subject.recording->records;
  size_t first = random.Below(all.size());
  size_t count = std::min(1 + random.Below(kMaxTogether), all.size() - first);
  std::vector<RingRecord> records(all.begin() + static_cast<ptrdiff_t>(first),
                                  all.begin() + static_cast<ptrdiff_t>(first + count));
  Tampering tampering;
  Outcome outcome;
  switch (random.Below(8)) {
    case 0: {
      StackRecording wrong = {"",
                              subject.recording->maps,
                              subject.recording->layout,
                              subject.recording->heap,
                              subject.recording->memory,
                              {}};
      bool is_layout = random.OneIn(2);
      if (!is_layout) TamperMaps(random, wrong);
      if (is_layout && !TamperLayout(random, wrong)) {
        totals.refused++;
        return;
      }
      outcome = Unwind(subject, wrong, records, tampering);
      outcome.is_tampered = true;
      break;
    }
    case 1:
    case 2:
    case 3:
      for (RingRecord& record : records) TamperRecord(random, record);
      outcome = Unwind(subject, *subject.recording, records, tampering);
      outcome.is_tampered = true;
      break;
    default:
      tampering = TamperingOf(random, subject, first);
      outcome = Unwind(subject, *subject.recording, records, tampering);
  }
  totals.tampered += outcome.is_tampered ? 1 : 0;
  totals.failed_reads += outcome.failed_reads;
  for (const OneStack& stack : outcome.stacks) totals.longest = std::max(totals.longest, stack.user.size());
  totals.changed += outcome.stacks.empty() || outcome.stacks[0] != subject.stacks[first] ? 1 : 0;
}

int Main(int argc, char** argv) {
  if (argc != 5) {
    fputs("usage: fuzz-stacks FILE SEED VARIANTS SECONDS\n", stderr);
    return 2;
  }
  std::string why_not;
  auto recordings = ReadRecordings(argv[1], why_not);
  if (!recordings) {
    fprintf(stderr, "%s is no recording of this version (%s): make record-jvm\n", argv[1], why_not.c_str());
    return 2;
  }
  now.seed = strtoull(argv[2], nullptr, 10);
  uint64_t most = strtoull(argv[3], nullptr, 10);
  time_t seconds = atoi(argv[4]);
  __sanitizer_set_death_callback(TellVariant);
  signal(SIGALRM, [](int) {
    TellVariant();
    _exit(1);
  });
  std::vector<Subject> subjects;
  for (const StackRecording& recording : *recordings) subjects.push_back(SubjectOf(recording));
  Totals totals;
  timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += seconds;
  for (now.variant = 1; most == 0 || now.variant <= most; now.variant++) {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    if (seconds != 0 && time.tv_sec >= end.tv_sec) break;
    alarm(kWatchdogSeconds);
    Random random(now.seed * 1'000'003 + now.variant);
    TryVariant(random, subjects[random.Below(subjects.size())], totals);
    totals.variants++;
  }
  printf("{\"variants\":%" PRIu64 ",\"tampered\":%" PRIu64 ",\"changed\":%" PRIu64 ",\"refused\":%" PRIu64
         ",\"failedReads\":%" PRIu64 ",\"longest\":%" PRIu64 "}\n",
         totals.variants, totals.tampered, totals.changed, totals.refused, totals.failed_reads,
         totals.longest);
  return 0;
}

}  // namespace
}  // namespace flamegate

int main(int argc, char** argv) {
  return flamegate::Main(argc, argv);
}
