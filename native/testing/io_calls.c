/* Reads, writes and syncs what is known beforehand. Says "ready", begins with a line of standard input, says
 * "done", and stays until it is killed, or its parent's thread ends. Standard output has to be a socket.
 * Usage: io-calls known DIRECTORY | syncs DIRECTORY TIMES REST_US | waits DIRECTORY | pace DIRECTORY TIMES */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 4096, WAIT_US = 30000 };
static char bytes[BYTES];

static void expect(ssize_t got, ssize_t wanted) {
  if (got == wanted) return;
  perror("unexpected");
  exit(1);
}

#define TIMES(count) for (int left = (count); left > 0; left--)

static int a_file(const char* directory) {
  char path[256];
  snprintf(path, sizeof(path), "%s/io-calls-XXXXXX", directory);
  int file = mkstemp(path);
  if (file < 0 || unlink(path) != 0) exit(1);
  return file;
}

static void on_file(int file) {
  struct iovec parts[] = {{bytes, 60}, {bytes + 60, 40}};
  TIMES(10) expect(write(file, bytes, 1000), 1000);
  TIMES(3) expect(pwrite(file, bytes, 500, 0), 500);
  TIMES(2) expect(writev(file, parts, 2), 100);
  TIMES(1) expect(pwritev(file, parts, 2, 0), 100);
  if (lseek(file, 0, SEEK_SET) != 0) exit(1);
  TIMES(7) expect(pread(file, bytes, 100, 0), 100);
  TIMES(4) expect(read(file, bytes, 250), 250);
  TIMES(1) expect(readv(file, parts, 2), 100);
  TIMES(1) expect(preadv(file, parts, 2, 0), 100);
  TIMES(2) expect(read(-1, bytes, 1), -1); /* of no file: nothing */
}

static void sync_file(int file) {
  void* mapped = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) exit(1);
  TIMES(5) expect(fsync(file), 0);
  TIMES(4) expect(fdatasync(file), 0);
  TIMES(1) expect(sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
  TIMES(1) expect(msync(mapped, BYTES, MS_SYNC), 0);
}

static void on_sockets(int file) {
  int ends[2];
  struct iovec part = {bytes, 30};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
  TIMES(3) expect(write(ends[0], bytes, 10), 10);
  TIMES(2) expect(send(ends[0], bytes, 20, 0), 20);
  TIMES(1) expect(sendmsg(ends[0], &message, 0), 30);
  off_t from = 0;
  TIMES(1) expect(sendfile(ends[0], file, &from, 100), 100);
  TIMES(2) expect(read(ends[1], bytes, 50), 50);
  TIMES(1) expect(recv(ends[1], bytes, 70, 0), 70);
  TIMES(1) expect(recvmsg(ends[1], &message, 0), 30);
  TIMES(6) expect(recv(ends[1], bytes, 1, MSG_DONTWAIT), -1);
}

static void on_pipe(void) {
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  expect(write(ends[1], bytes, 8), 8);
  expect(read(ends[0], bytes, 8), 8);
}

static void known(const char* directory) {
  int file = a_file(directory);
  on_file(file);
  sync_file(file);
  on_sockets(file);
  on_pipe();
}

/* On one CPU, so that their lot is one. */
static void syncs(const char* directory, int times, int rest_us) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  if (sched_setaffinity(0, sizeof(first), &first) != 0) exit(1);
  int file = a_file(directory);
  TIMES(times) {
    expect(fdatasync(file), 0);
    if (rest_us > 0) usleep((useconds_t)rest_us);
  }
}

/* For its peer: to take what it sends, then to send anything. */
static void waits(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) exit(1);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    usleep(WAIT_US);
    while (recv(ends[1], bytes, BYTES, MSG_DONTWAIT) > 0) continue;
    usleep(WAIT_US);
    _exit(send(ends[1], bytes, 1, 0) == 1 ? 0 : 1);
  }
  while (send(ends[0], bytes, BYTES, MSG_DONTWAIT) > 0) continue;
  expect(send(ends[0], bytes, BYTES, 0), BYTES);
  expect(recv(ends[0], bytes, 1, 0), 1);
}

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void say(const char* word);

/* Says what a read of a byte, and a call that neither reads nor writes, take of the CPU. */
static void pace(const char* directory, int times) {
  int file = a_file(directory);
  expect(write(file, bytes, 1), 1);
  double begun = cpu_ns();
  TIMES(times) expect(pread(file, bytes, 1, 0), 1);
  double read = cpu_ns();
  TIMES(times) syscall(SYS_getppid);
  double ended = cpu_ns();
  char line[64];
  snprintf(line, sizeof(line), "%.0f %.0f", (read - begun) / times, (ended - read) / times);
  say(line);
}

/* Where that is a socket, by a call that is not counted. */
static void say(const char* word) {
  char line[64];
  struct iovec part = {line, (size_t)snprintf(line, sizeof(line), "%s\n", word)};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
  expect(sendmmsg(STDOUT_FILENO, &message, 1, 0), 1);
}

int main(int argc, char** argv) {
  char line[8];
  if (argc < 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return 2;
  say("ready");
  if (fgets(line, sizeof(line), stdin) == NULL) return 1;
  if (strcmp(argv[1], "known") == 0)
    known(argv[2]);
  else if (strcmp(argv[1], "syncs") == 0 && argc == 5)
    syncs(argv[2], atoi(argv[3]), atoi(argv[4]));
  else if (strcmp(argv[1], "waits") == 0)
    waits();
  else if (strcmp(argv[1], "pace") == 0 && argc == 4)
    pace(argv[2], atoi(argv[3]));
  else
    return 2;
  say("done");
  for (;;) pause();
}
