/* Waits in a known way a number of times, ten milliseconds each where that can be said. Says "ready", begins
 * with a line of standard input, says "done", and stays until it is killed, or its parent's thread ends.
 * Usage: waits WAY TIMES */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10, FILE_BYTES = 1 << 20 };

static const struct timespec wait_time = {0, WAIT_MS * 1000000};
static char bytes[FILE_BYTES];

static void by_sleep(void) {
  nanosleep(&wait_time, NULL);
}

static void by_futex(void) {
  static int word;
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait_time, NULL, 0);
}

static void by_events(void) {
  static int events = -1;
  struct epoll_event event;
  if (events < 0) events = epoll_create1(0);
  epoll_wait(events, &event, 1, WAIT_MS);
}

static void by_poll(void) {
  poll(NULL, 0, WAIT_MS);
}

/* By a system call that only sockets have, and by one that files have too. */
static void from_socket(int by_read) {
  static int ends[2] = {-1, -1};
  char byte;
  if (ends[0] < 0) {
    struct timeval timeout = {0, WAIT_MS * 1000};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
    if (setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) exit(1);
  }
  if ((by_read ? read(ends[0], &byte, 1) : recv(ends[0], &byte, 1, 0)) >= 0) exit(1);
}

static void by_receive(void) {
  from_socket(0);
}

static void by_read(void) {
  from_socket(1);
}

static int a_file(void) {
  char path[] = "/var/tmp/flamegate-waits-XXXXXX";
  int file = mkstemp(path);
  if (file < 0 || unlink(path) != 0) exit(1);
  if (write(file, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) || fsync(file) != 0) exit(1);
  return file;
}

static void by_sync(void) {
  static int file = -1;
  if (file < 0) file = a_file();
  bytes[0]++;
  if (pwrite(file, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) || fsync(file) != 0) exit(1);
}

/* A page that has to come from the disk. */
static void by_fault(void) {
  static int file = -1;
  if (file < 0) file = a_file();
  if (posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) exit(1);
  volatile char* mapped = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) exit(1);
  bytes[0] += mapped[FILE_BYTES / 2];
  munmap((void*)mapped, FILE_BYTES);
}

/* Beside another that computes on the same CPU, until each has had it for a while. */
static void by_queue(void) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  if (sched_setaffinity(0, sizeof(first), &first) != 0) exit(1);
  pid_t other = fork();
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) bytes[0]++;
  }
  struct timespec now;
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  while (now.tv_sec == 0 && now.tv_nsec < 50 * 1000000);
  kill(other, SIGKILL);
  waitpid(other, NULL, 0);
}

/* A thousand times a byte there and back, on one CPU: each is a switch to the other and one back. */
static void by_turns(void) {
  static int ends[2] = {-1, -1};
  char byte = 0;
  if (ends[0] < 0) {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof(first), &first) != 0) exit(1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (read(ends[1], &byte, 1) == 1 && write(ends[1], &byte, 1) == 1) continue;
      _exit(0);
    }
  }
  for (int i = 0; i < 1000; i++) {
    if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) exit(1);
  }
}

static const struct {
  const char* name;
  void (*run)(void);
} ways[] = {
    {"sleep", by_sleep},     {"futex", by_futex}, {"events", by_events}, {"poll", by_poll},
    {"receive", by_receive}, {"read", by_read},   {"sync", by_sync},     {"fault", by_fault},
    {"queue", by_queue},     {"turns", by_turns},
};

static void say(const char* word) {
  puts(word);
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return 2;
  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
    if (strcmp(ways[i].name, argv[1]) != 0) continue;
    char line[8];
    say("ready");
    if (fgets(line, sizeof(line), stdin) == NULL) return 1;
    for (int left = atoi(argv[2]); left > 0; left--) ways[i].run();
    say("done");
    for (;;) pause();
  }
  return 2;
}
