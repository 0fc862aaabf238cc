// The bytes of an item as an input iterator, a buffer at a time: a JSON reader never has the whole file in
// memory. Borrows the job; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <touchstone/plugin.hpp>

namespace touchstone::exports {

class JobBytes {
 public:
  /// A reader keeps one token in memory; a longer one ends the bytes.
  static constexpr std::uint64_t kMaxToken = 16U << 20U;

  explicit JobBytes(Job& job) : job_(&job) { fill(); }
  bool at_end() const { return next_ == held_; }
  char front() const { return static_cast<char>(buffer_[next_]); }
  void pop() {
    if (++next_ == held_) fill();
  }
  /// A token has been read.
  void note_token() { token_from_ = offset_; }
  bool token_too_long() const { return token_too_long_; }

 private:
  void fill() {
    next_ = held_ = 0;
    if (job_->cancelled()) return;
    if (offset_ - token_from_ > kMaxToken) {
      token_too_long_ = true;
      return;
    }
    const std::int64_t got = job_->read_at(offset_, buffer_);
    if (got <= 0) return;
    held_ = static_cast<std::size_t>(got);
    offset_ += held_;
  }

  Job* job_;
  std::uint64_t offset_ = 0, token_from_ = 0;
  std::size_t next_ = 0, held_ = 0;
  bool token_too_long_ = false;
  std::array<std::uint8_t, std::size_t{64} * 1024> buffer_{};
};

/// Equal to a default-made one at the end.
class ByteIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  ByteIterator() = default;
  explicit ByteIterator(JobBytes& bytes) : bytes_(&bytes) {}
  char operator*() const { return bytes_->front(); }
  ByteIterator& operator++() {
    bytes_->pop();
    return *this;
  }
  bool operator==(const ByteIterator& other) const { return is_end() == other.is_end(); }
  bool operator!=(const ByteIterator& other) const { return !(*this == other); }

 private:
  bool is_end() const { return bytes_ == nullptr || bytes_->at_end(); }
  JobBytes* bytes_ = nullptr;
};

}  // namespace touchstone::exports
