/* What a tick of a CPU-wide cpu-clock costs whoever runs there, without any program behind it: a fixed piece of work
 * is timed by its own CPU clock, with and without such a clock, in turns. The median over rounds of the one against
 * the median of the other; then the same of two runs without a clock, as noise. Prints both in microseconds a tick.
 * argv: CPU ROUNDS */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kHz = 4999, kMaxRounds = 400, kVariants = 3 };
static const long kSteps = 20000000; /* some 20 ms */

static double cpu_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double timed_work(void) {
  static volatile uint64_t sink __attribute__((unused));
  double begin = cpu_seconds();
  uint64_t x = 1;
  for (long i = 0; i < kSteps; i++) x = x * 6364136223846793005u + 1442695040888963407u;
  sink = x;
  return cpu_seconds() - begin;
}

static int open_clock(int cpu) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof(attributes));
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.freq = 1;
  attributes.sample_freq = kHz;
  return (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int by_value(const void* one, const void* other) {
  double difference = *(const double*)one - *(const double*)other;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char** argv) {
  static double seconds[kVariants][kMaxRounds];
  int cpu = argc > 1 ? atoi(argv[1]) : 0;
  int rounds = argc > 2 ? atoi(argv[2]) : 100;
  if (rounds < 1 || rounds > kMaxRounds) return 2;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set)) return perror("sched_setaffinity"), 1;

  timed_work();
  for (int round = 0; round < rounds; round++) {
    for (int variant = 0; variant < kVariants; variant++) {
      int clock = variant == 1 ? open_clock(cpu) : -1;
      if (variant == 1 && clock < 0) return perror("perf_event_open"), 1;
      seconds[variant][round] = timed_work();
      if (clock >= 0) close(clock);
    }
  }
  double median[kVariants];
  for (int variant = 0; variant < kVariants; variant++) {
    qsort(seconds[variant], (size_t)rounds, sizeof(double), by_value);
    median[variant] = seconds[variant][rounds / 2];
  }
  double micros = 1e6 / (median[0] * kHz);
  printf("%.2f %.2f\n", (median[1] - median[0]) * micros, (median[2] - median[0]) * micros);
  return 0;
}
