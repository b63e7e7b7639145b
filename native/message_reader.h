#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "http_head.h"

namespace flamegate {

enum class Side { kRequests, kResponses };

/// Finds where messages begin and end in one direction of a connection, of which only the first bytes of each
/// call are known. Where it loses count it says so, and begins again with a call that begins with a first
/// line.
class MessageReader {
 public:
  enum class Found {
    kNothing,  ///< the call is read to its end
    kHead,     ///< Head() is a head, whole or cut off; the caller says by Expect what body comes
    kEnd,      ///< of the message
    kGarbage,  ///< bytes that are no message of HTTP/1.1
    kLost,     ///< a message may begin in bytes that nobody copied
  };

  explicit MessageReader(Side side) : side_(side) {}

  /// A call that moved `length` bytes, of which `bytes` are the first.
  void Begin(std::string_view bytes, uint64_t length);
  Found Next();
  /// True if the message is over with its head.
  bool Expect(const Body& body);

  std::string_view Head() const { return head_; }
  /// Bytes of the call that are read.
  uint64_t Position() const { return position_; }
  bool IsInHead() const { return state_ == State::kHead && !head_.empty(); }
  bool IsInBody() const { return state_ != State::kHead && state_ != State::kBetween; }
  /// In a message the end of which will not be found.
  bool IsUnframed() const { return state_ == State::kUnframed; }
  /// In a body that ends with the connection.
  bool IsUntilClose() const { return state_ == State::kUntilClose; }
  /// Something was missed: the next message begins with a call.
  void Lose() { Become(State::kBetween); }

 private:
  enum class State {
    kHead,        // at a head's first byte, or in it
    kSkip,        // `left_` bytes of the body
    kChunkSize,   // in the line of a chunk's size
    kChunkData,   // `left_` bytes of a chunk and its line end
    kTrailers,    // behind the last chunk
    kUntilClose,  // a body that ends with the connection
    kUnframed,    // in a message, lost count
    kBetween,     // lost count, in no message
  };

  void Become(State state);
  Found ReadHead();
  Found ReadChunkSize();
  Found ReadTrailers();
  bool Skip();
  bool TakeLine();

  Side side_;
  State state_ = State::kHead;
  bool is_head_cut_ = false;
  std::string head_;  // of the message under way; empty once it is parsed
  std::string line_;  // of a chunk's size or a trailer
  uint64_t left_ = 0;
  std::string_view bytes_;
  uint64_t length_ = 0;
  uint64_t position_ = 0;
};

}  // namespace flamegate
