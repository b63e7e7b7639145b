#include "code_pages.h"

#include <sys/mman.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>

namespace flamegate {
namespace {

constexpr int kMaxMappings = 4096;  // of the agent: some 300

struct CloseFile {
  void operator()(FILE* file) const { fclose(file); }
};

}  // namespace

// Executable and never writable: such a page is the file's own, nothing is lost with it. Read-only data is
// left alone, for there the loader may have written before (RELRO).
size_t ReleaseCodePages() {
  std::unique_ptr<FILE, CloseFile> maps(fopen("/proc/self/maps", "re"));
  if (!maps) return 0;
  size_t released = 0;
  char line[512];
  for (int i = 0; i < kMaxMappings && fgets(line, sizeof(line), maps.get()) != nullptr; i++) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char permissions[5] = {};
    char path[2] = {};
    int read = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %1s", &begin, &end, permissions, path);
    bool is_code = read == 4 && strcmp(permissions, "r-xp") == 0 && path[0] == '/';
    if (is_code && madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0)
      released += end - begin;
  }
  return released;
}

}  // namespace flamegate
