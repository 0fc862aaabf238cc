#include "evidence/vmdk_descriptor.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace touchstone {
namespace {

// 4 TB in extents of 2 GB.
constexpr std::size_t kMaxExtents = 2048;

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\0'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return result;
}

std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// RW 4192256 SPARSE "disk-s001.vmdk", or RW 16384 FLAT "disk-flat.vmdk" 0.
std::optional<VmdkExtent> parse_extent(std::string_view line) {
  const std::string access = lower(take_word(line));
  if (access != "rw" && access != "rdonly" && access != "noaccess") return std::nullopt;
  const auto sectors = number(take_word(line));
  if (!sectors) return std::nullopt;
  VmdkExtent extent;
  extent.sectors = *sectors;
  extent.type = std::string(take_word(line));
  line = trimmed(line);
  if (line.starts_with('"')) {
    const std::size_t end = std::min(line.find('"', 1), line.size());
    extent.file = std::string(line.substr(1, end - 1));
    line.remove_prefix(std::min(end + 1, line.size()));
    extent.offset = number(take_word(line)).value_or(0);
  }
  return extent;
}

}  // namespace

VmdkDescriptor parse_vmdk_descriptor(std::string_view text) {
  VmdkDescriptor descriptor;
  // The embedded form is filled up with NULs.
  text = text.substr(0, text.find('\0'));
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (auto extent = parse_extent(line)) {
      if (descriptor.extents.size() < kMaxExtents) descriptor.extents.push_back(std::move(*extent));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key = lower(trimmed(line.substr(0, equals)));
    std::string_view value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (key == "createtype") descriptor.create_type = std::string(value);
    if (key == "cid") descriptor.content_id = lower(value);
    if (key == "parentcid") descriptor.parent_id = lower(value);
    if (key == "parentfilenamehint") descriptor.parent_hint = std::string(value);
    if (key.starts_with("encryption.") || key == "encryptionkeys") descriptor.encrypted = true;
  }
  return descriptor;
}

}  // namespace touchstone
