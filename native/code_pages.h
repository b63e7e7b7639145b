#pragma once
#include <cstddef>

namespace flamegate {

/// Gives back the pages of program code that this process has mapped; what is executed again is mapped again
/// from the page cache, 64 KB at a fault. Most of the code of Node runs once, at its start. Returns how many
/// bytes were mapped executable from files, 0 if that could not be read.
size_t ReleaseCodePages();

}  // namespace flamegate
