// Computes in a signal handler that interrupted a function of its own: for the test of how signal frames are
// left.
#include <signal.h>
#include <unistd.h>

static volatile unsigned long sink;

static void spin(int number) {
  for (;;) sink += (unsigned long)number;
}

__attribute__((noinline)) static void interrupted(void) {
  alarm(1);
  for (;;) sink++;
}

int main(void) {
  signal(SIGALRM, spin);
  interrupted();
  return 0;
}
