// The bytes that are searched: a window of unallocated space, slack or a page file, read in blocks through
// the host. Files begin inside the window and may go on beyond it, as far as the host gives bytes. What is
// handed out is counted as work, so that a hostile window ends at the same place on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace touchstone::carving {

using Bytes = std::span<const std::uint8_t>;

/// A run of bytes of the window.
struct Run {
  std::uint64_t offset = 0, length = 0;
  bool operator==(const Run&) const = default;
};

class View {
 public:
  using Read = std::function<std::int64_t(std::uint64_t offset, std::span<std::uint8_t> out)>;
  static constexpr std::size_t kBlock = 1U << 20U;
  /// The most that at() gives at once.
  static constexpr std::size_t kReach = 64U << 10U;

  View(std::uint64_t size, Read read, std::function<bool()> cancelled);

  /// Hits begin before it.
  std::uint64_t size() const { return size_; }
  /// Up to `count` (at most kReach) bytes; fewer at the end of what can be read. Valid until the next call.
  Bytes at(std::uint64_t offset, std::size_t count);
  /// The same, without being counted as work.
  Bytes uncounted(std::uint64_t offset, std::size_t count);
  /// As at(), or nothing if there are not as many.
  Bytes exactly(std::uint64_t offset, std::size_t count);
  std::string_view text(std::uint64_t offset, std::size_t count);
  bool starts_with(std::uint64_t offset, std::string_view magic);
  /// Whether the bytes up to `end` exist.
  bool reaches(std::uint64_t end);
  /// First place of `needle` in [from, to), or `to` if there is none.
  std::uint64_t find(std::string_view needle, std::uint64_t from, std::uint64_t to);

  /// Numbers; 0 beyond the end.
  std::uint16_t le16(std::uint64_t offset);
  std::uint32_t le32(std::uint64_t offset);
  std::uint64_t le64(std::uint64_t offset);
  std::uint16_t be16(std::uint64_t offset);
  std::uint32_t be32(std::uint64_t offset);
  std::uint64_t be64(std::uint64_t offset);

  void spend(std::uint64_t work) { work_ += work; }
  std::uint64_t work() const { return work_; }
  /// Whether the budget of the window is used up, or the host wants to stop.
  bool exhausted();
  bool cancelled() const { return cancelled_; }

 private:
  struct Block {
    std::uint64_t index = UINT64_MAX;
    std::vector<std::uint8_t> bytes;
    std::uint64_t used = 0;
  };
  const Block& block(std::uint64_t index);

  std::uint64_t size_;
  Read read_;
  std::function<bool()> ask_cancelled_;
  std::array<Block, 8> blocks_;
  const Block* last_ = nullptr;
  std::uint64_t clock_ = 0, work_ = 0, budget_;
  std::uint64_t next_ask_ = 0;
  bool cancelled_ = false;
};

inline std::uint16_t get_le16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] | p[1] << 8U);
}
inline std::uint32_t get_le32(const std::uint8_t* p) {
  return get_le16(p) | static_cast<std::uint32_t>(get_le16(p + 2)) << 16U;
}
inline std::uint64_t get_le64(const std::uint8_t* p) {
  return get_le32(p) | static_cast<std::uint64_t>(get_le32(p + 4)) << 32U;
}
inline std::uint16_t get_be16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] << 8U | p[1]);
}
inline std::uint32_t get_be32(const std::uint8_t* p) {
  return static_cast<std::uint32_t>(get_be16(p)) << 16U | get_be16(p + 2);
}
inline std::uint64_t get_be64(const std::uint8_t* p) {
  return static_cast<std::uint64_t>(get_be32(p)) << 32U | get_be32(p + 4);
}

}  // namespace touchstone::carving
