#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace flamegate {

/// Executable ranges of a process, each with the place of the ELF header of the file it is of.
class MemoryMap {
 public:
  struct Range {
    uint64_t start;
    uint64_t end;
    uint64_t
        image;  ///< where the file's first byte is mapped; 0 if there is no such file, or not its beginning
    bool operator==(const Range&) const = default;
  };

  /// False if the process is gone.
  bool Load(pid_t pid);
  /// Takes the text of /proc/PID/maps.
  void Parse(std::string_view text);
  /// Null for an address that is not executable.
  const Range* Find(uint64_t address) const;
  const std::vector<Range>& Ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;  ///< ascending
};

}  // namespace flamegate
