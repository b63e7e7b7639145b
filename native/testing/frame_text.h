#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace flamegate {

/// Bytes of HTTP/2, said as test/fixtures/http/README.md has it: `{HEADERS 1 eh :method=GET #4}`. Nothing
/// where it is none.
std::optional<std::string> FramesOf(std::string_view text);

}  // namespace flamegate
