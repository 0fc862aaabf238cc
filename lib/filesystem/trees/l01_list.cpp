#include "filesystem/trees/l01_list.hpp"

#include <charconv>

namespace touchstone::l01 {
namespace {

constexpr std::size_t kMaxCells = 4096;

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
  text.push_back(static_cast<char>(kLead[more] | code >> (6 * more)));
  for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 63)));
}

bool is_high(std::uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}

bool is_low(std::uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

}  // namespace

bool Lines::unit(std::uint32_t& value) {
  if (read_ + 2 > window_.size()) {
    window_.resize(size_);
    const auto got = text_.read_at(at_, window_);
    window_.resize(got ? *got & ~std::size_t{1} : 0);
    read_ = 0;
    if (window_.empty()) return false;
  }
  value = std::to_integer<std::uint32_t>(window_[read_]) | std::to_integer<std::uint32_t>(window_[read_ + 1])
                                                               << 8;
  read_ += 2;
  at_ += 2;
  return true;
}

bool Lines::next(std::string& line) {
  line.clear();
  cut_ = false;
  place_ = at_;
  std::uint32_t value = 0, waiting = 0;
  bool any = false;
  while (unit(value)) {
    any = true;
    if (waiting != 0 && is_low(value)) {
      append_utf8(line, 0x10000 + ((waiting - 0xd800) << 10) + (value - 0xdc00));
      waiting = 0;
      continue;
    }
    if (waiting != 0) append_utf8(line, waiting);
    waiting = 0;
    if (value == '\n') return true;
    if (line.size() >= kLongest) {
      cut_ = true;
    } else if (is_high(value)) {
      waiting = value;
    } else if (value != 0) {
      append_utf8(line, value);
    }
  }
  if (waiting != 0) append_utf8(line, waiting);
  cut_ = true;
  return any;
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  while (cells.size() < kMaxCells) {
    const std::size_t end = line.find(separator);
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return cells;
}

bool read_number(std::string_view text, int base, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view Values::text(std::string_view column) const {
  const auto found = columns_.find(column);
  return found == columns_.end() || found->second >= cells_.size() ? std::string_view()
                                                                   : cells_[found->second];
}

std::uint64_t Values::number(std::string_view column) const {
  std::uint64_t value = 0;
  return read_number(text(column), 10, value) ? value : 0;
}

}  // namespace touchstone::l01
