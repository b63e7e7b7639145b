#pragma once
#include <string>
#include <string_view>

#include "header_table.h"

namespace flamegate {

/// What is wanted of a header block. Empty where it was not said.
struct HeaderFields {
  std::string method;
  std::string path;  ///< printable ASCII without query, at most kMaxPathBytes
  std::string status;
  std::string content_type;
  std::string grpc_status;
  std::string trace_parent;  ///< not checked; empty, too, where it was said twice
  bool has_trace_parent = false;
  bool has_unseen = false;  ///< a field was named by a number that nobody knows: it may be any of these
};

/// Reads HPACK (RFC 7541). False where the bytes are none, and then the table is not to be trusted.
bool ReadHeaderBlock(std::string_view block, HeaderTable& table, HeaderFields& fields);

}  // namespace flamegate
