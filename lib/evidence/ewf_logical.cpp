#include "evidence/ewf_logical.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/text_decode.hpp"

namespace touchstone {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

std::string_view take_cell(std::string_view& line) {
  const std::size_t end = line.find('\t');
  const std::string_view cell = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return cell;
}

}  // namespace

std::optional<std::uint64_t> logical_media_size(ByteSource& list) {
  std::vector<std::byte> head(kMaxFileListHead);
  const auto got = list.read_at(kFileListHeader, head);
  if (!got) return std::nullopt;
  const std::string decoded = utf16_text(std::span(head).first(*got), false);
  std::string_view text = decoded;
  take_line(text);  // how many categories there are
  if (take_line(text) != "rec") return std::nullopt;
  std::string_view names = take_line(text);
  std::string_view values = take_line(text);
  while (!names.empty()) {
    const std::string_view name = take_cell(names);
    const std::string_view value = take_cell(values);
    if (name != "tb") continue;
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
    return size;
  }
  return std::nullopt;
}

}  // namespace touchstone
