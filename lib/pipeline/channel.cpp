#include "pipeline/channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace touchstone {
namespace {

std::uint32_t length_at(const std::string& buffer) {
  std::uint32_t length = 0;
  for (int i = 3; i >= 0; --i)
    length = (length << 8) | static_cast<unsigned char>(buffer[static_cast<std::size_t>(i)]);
  return length;
}

}  // namespace

Channel::~Channel() {
  if (fd_ >= 0) close(fd_);
}

Channel::Channel(Channel&& other) noexcept : fd_(other.fd_), buffer_(std::move(other.buffer_)) {
  other.fd_ = -1;
}

bool Channel::send(const google::protobuf::MessageLite& message) {
  std::string bytes(4, '\0');
  message.AppendToString(&bytes);
  const std::size_t length = bytes.size() - 4;
  if (length > kMaxMessage) return false;
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 0xFF);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

bool Channel::receive(google::protobuf::MessageLite& message) {
  while (true) {
    const Next got = next(message);
    if (got != Next::none) return got == Next::message;
    std::array<char, 65536> block{};
    const ssize_t bytes = recv(fd_, block.data(), block.size(), 0);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return false;
    buffer_.append(block.data(), static_cast<std::size_t>(bytes));
  }
}

bool Channel::fill() {
  std::array<char, 262144> block{};
  while (true) {
    const ssize_t bytes = recv(fd_, block.data(), block.size(), MSG_DONTWAIT);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (bytes <= 0) return false;
    buffer_.append(block.data(), static_cast<std::size_t>(bytes));
    // One message may be large, but no more than that is held: the rest waits in the socket.
    if (buffer_.size() > 4 && buffer_.size() - 4 >= length_at(buffer_)) return true;
  }
}

Channel::Next Channel::next(google::protobuf::MessageLite& message) {
  if (buffer_.size() < 4) return Next::none;
  const std::uint32_t length = length_at(buffer_);
  if (length > kMaxMessage) return Next::broken;
  if (buffer_.size() - 4 < length) return Next::none;
  const bool parsed = message.ParseFromArray(buffer_.data() + 4, static_cast<int>(length));
  buffer_.erase(0, 4 + static_cast<std::size_t>(length));
  return parsed ? Next::message : Next::broken;
}

}  // namespace touchstone
