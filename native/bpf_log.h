#pragma once
#include <string>

namespace flamegate {

/// Collects what libbpf prints on this thread while it lives; one at a time per thread.
class BpfLog {
 public:
  BpfLog();
  ~BpfLog();
  BpfLog(const BpfLog&) = delete;
  BpfLog& operator=(const BpfLog&) = delete;

  std::string Take();

 private:
  std::string text_;
};

/// The code of a failure to load, by the errno and what was printed meanwhile.
const char* CodeOfLoad(int error, const std::string& log);

/// Makes libbpf silent but for a BpfLog. Once per process.
void RouteBpfLog();

}  // namespace flamegate
