#pragma once
#include <string>

namespace flamegate {

/// Why something could not be done. `code` is one of docs/errors.md; src/native makes the sentence.
struct Failure {
  const char* code = nullptr;
  std::string what;
  int error = 0;    ///< errno, positive
  std::string log;  ///< what libbpf had to say, at most its last 64 KB
};

}  // namespace flamegate
