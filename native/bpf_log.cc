#include "bpf_log.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace flamegate {
namespace {

constexpr size_t kMaxLogBytes = 64 * 1024;  // a verifier log's end tells; its beginning can be megabytes

thread_local std::string* current = nullptr;

// vasprintf, for libbpf prints a whole verifier log in one call.
__attribute__((format(printf, 2, 0))) int Print(libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG || current == nullptr) return 0;
  char* line = nullptr;
  int length = vasprintf(&line, format, args);
  if (length < 0) return 0;
  current->append(line, static_cast<size_t>(length));
  free(line);
  if (current->size() > kMaxLogBytes) current->erase(0, current->size() - kMaxLogBytes);
  return 0;
}

}  // namespace

BpfLog::BpfLog() {
  current = &text_;
}

BpfLog::~BpfLog() {
  current = nullptr;
}

std::string BpfLog::Take() {
  return std::exchange(text_, {});
}

// EACCES is also the verifier's refusal, which then has written its statistics.
const char* CodeOfLoad(int error, const std::string& log) {
  bool is_not_permitted = error == EPERM || error == EACCES;
  bool is_refusal = log.find("processed ") != std::string::npos;
  return is_not_permitted && !is_refusal ? "BPF_NOT_PERMITTED" : "BPF_LOAD_FAILED";
}

void RouteBpfLog() {
  libbpf_set_print(Print);
}

}  // namespace flamegate
