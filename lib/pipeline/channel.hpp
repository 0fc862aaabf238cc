// Messages over a stream socket: four bytes of length (little-endian), then the message. One owner, one
// thread.
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <optional>
#include <string>

namespace touchstone {

class Channel {
 public:
  /// A message larger than this is a fault of the sender. Workers send results in parts of about 4 MiB.
  static constexpr std::uint32_t kMaxMessage = 512U << 20;

  explicit Channel(int fd) : fd_(fd) {}
  ~Channel();
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&&) = delete;

  int fd() const { return fd_; }
  /// Blocks until all is written; false when the other side is gone.
  bool send(const google::protobuf::MessageLite& message);
  /// Blocks for one message; false at the end of the stream or when what came is no message.
  bool receive(google::protobuf::MessageLite& message);

  /// Reads what is there without blocking; false when the other side is gone.
  bool fill();
  /// The next whole message of what was read.
  enum class Next { message, none, broken };
  Next next(google::protobuf::MessageLite& message);

 private:
  int fd_;
  std::string buffer_;
};

}  // namespace touchstone
