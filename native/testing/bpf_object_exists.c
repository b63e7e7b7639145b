// Tells whether the kernel still has a BPF program or map: `bpf-object-exists program|map <id>` exits 0 or 1.
// For the tests that nothing is left behind; nothing else can look into the kernel without privileges of its
// own.
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: bpf-object-exists program|map ID\n", stderr);
    return 2;
  }
  unsigned id = (unsigned)strtoul(argv[2], NULL, 10);
  int fd = strcmp(argv[1], "map") == 0 ? bpf_map_get_fd_by_id(id) : bpf_prog_get_fd_by_id(id);
  if (fd >= 0) return 0;
  if (errno == ENOENT) return 1;
  perror("bpf");
  return 2;
}
