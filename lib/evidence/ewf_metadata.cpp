#include "evidence/ewf_metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "evidence/ewf_layout.hpp"
#include "evidence/inflate.hpp"
#include "evidence/text_decode.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMaxPacked = std::size_t{4} << 20;
constexpr std::size_t kMaxText = std::size_t{16} << 20;
constexpr std::size_t kMaxValue = 64 * 1024;
constexpr std::size_t kMaxValues = 256;

using Values = std::map<std::string, std::string>;

// Identifiers of the main category, and the names that libewf's tools print them under.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kNames = {{
    {"a", "description"},
    {"c", "case_number"},
    {"n", "evidence_number"},
    {"e", "examiner_name"},
    {"t", "notes"},
    {"md", "model"},
    {"sn", "serial_number"},
    {"l", "device_label"},
    {"av", "acquiry_software_version"},
    {"ov", "acquiry_operating_system"},
    {"m", "acquiry_date"},
    {"u", "system_date"},
    {"p", "password"},
    {"pid", "process_identifier"},
    {"dc", "unknown_dc"},
    {"ext", "extents"},
    {"r", "compression_level"},
}};

std::optional<std::string> inflated(std::span<const std::byte> packed) {
  Inflater inflater;
  for (std::size_t room = 64 * 1024; room <= kMaxText; room *= 4) {
    std::string text(room, '\0');
    const auto done = inflater.zlib(packed, std::as_writable_bytes(std::span(text)));
    if (!done) continue;
    text.resize(done->produced);
    return text;
  }
  return std::nullopt;
}

std::optional<std::string> section_text(EwfFile& file, const EwfSegment::Header& header) {
  std::vector<std::byte> packed(std::min<std::uint64_t>(header.size, kMaxPacked));
  const auto got = file.bytes->read_at(header.at + ewf::kDescriptorSize, packed);
  packed.resize(got ? *got : 0);
  return inflated(packed);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (parts.size() < 1000) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::vector<long> numbers(std::string_view text) {
  std::vector<long> values;
  for (const std::string_view part : split(text, ' ')) {
    const bool digits =
        !part.empty() && part.size() < 12 && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits) values.push_back(std::stol(std::string(part)));
    if (!digits && !part.empty()) return {};
  }
  return values;
}

// header2 counts seconds since 1970 in UTC; header writes the clock of the machine, "2002 3 4 10 19 59".
std::string readable_date(std::string_view text) {
  const std::vector<long> parts = numbers(text);
  if (parts.size() == 1 && parts[0] > 0) {
    const std::time_t seconds = parts[0];
    std::tm utc{};
    if (gmtime_r(&seconds, &utc) != nullptr)
      return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  }
  if (parts.size() == 6)
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts[0], parts[1], parts[2], parts[3],
                       parts[4], parts[5]);
  return std::string(text);
}

void put(Values& values, const std::string& name, std::string_view text) {
  if (text.empty() || values.size() >= kMaxValues || values.contains(name)) return;
  const bool date = name == "acquiry_date" || name == "system_date";
  std::string value = date ? readable_date(text.substr(0, 64)) : std::string(text.substr(0, kMaxValue));
  values[to_valid_utf8(name)] = to_valid_utf8(value);
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\0')) line.remove_suffix(1);
  return line;
}

// A category: its name, (in srce and sub two counts,) identifiers, (two counts,) values.
void take_tabbed(std::string_view text, Values& values) {
  const std::vector<std::string_view> lines = split(text, '\n');
  for (std::size_t i = 1; i + 2 < lines.size(); ++i) {
    const std::string category(trimmed(lines[i]));
    const bool main = category == "main";
    if (!main && category != "srce" && category != "sub") continue;
    const std::size_t step = main ? 1 : 2;
    if (i + 2 * step >= lines.size()) break;
    const auto names = split(trimmed(lines[i + step]), '\t');
    const auto cells = split(trimmed(lines[i + 2 * step]), '\t');
    for (std::size_t j = 0; j < std::min(names.size(), cells.size()); ++j) {
      const auto known =
          std::find_if(kNames.begin(), kNames.end(), [&](const auto& one) { return one.first == names[j]; });
      const std::string_view cell = cells[j];
      if (main) {
        const bool no_password = names[j] == "p" && cell == "0";
        if (!no_password)
          put(values, known != kNames.end() ? std::string(known->second) : "main_" + std::string(names[j]),
              cell);
      } else if (cell.find_first_not_of("0-1") != std::string_view::npos) {
        put(values, category + "_" + std::string(names[j]), cell);
      }
    }
  }
}

// <name>text</name> in xheader and xhash: no attributes, nothing nested.
void take_elements(std::string_view text, Values& values) {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const std::size_t end = text.find('>', at);
    if (end == std::string_view::npos) return;
    const std::string name(text.substr(at + 1, end - at - 1));
    if (name.empty() || name[0] == '?' || name[0] == '/' || name.size() > 64) continue;
    const std::size_t close = text.find("</" + name + ">", end);
    if (close == std::string_view::npos) continue;
    const std::string_view value = text.substr(end + 1, close - end - 1);
    if (value.find('<') == std::string_view::npos) put(values, name, value);
  }
}

std::string lower_hex(const Values& values, const std::string& name, std::size_t size) {
  const auto found = values.find(name);
  if (found == values.end() || found->second.size() != size) return "";
  std::string text = found->second;
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  return text.find_first_not_of("0123456789abcdef") == std::string::npos ? text : "";
}

void take_geometry(std::span<const std::byte> content, Values& values) {
  if (content.size() < 24) return;
  switch (std::to_integer<int>(content[0])) {
    case 0x00:
      put(values, "media_type", "removable disk");
      break;
    case 0x01:
      put(values, "media_type", "fixed disk");
      break;
    case 0x03:
      put(values, "media_type", "optical disc");
      break;
    case 0x0e:
      put(values, "media_type", "logical evidence");
      break;
    case 0x10:
      put(values, "media_type", "memory");
      break;
    default:
      break;
  }
  if (content.size() < 1052) return;
  const auto flags = std::to_integer<unsigned>(content[36]);
  put(values, "media_flags", (flags & 2) != 0 ? "physical" : "logical");
  if ((flags & 4) != 0) put(values, "write_blocker", "FastBloc");
  if ((flags & 8) != 0) put(values, "write_blocker", "Tableau");
  static constexpr std::array<std::string_view, 3> kLevels = {"none", "fast", "best"};
  const auto level = std::to_integer<std::size_t>(content[52]);
  if (level < kLevels.size()) put(values, "compression", kLevels[level]);
  if (const auto granularity = ewf::little_endian(content.data() + 56, 4); granularity > 0)
    put(values, "error_granularity", std::to_string(granularity));
  put(values, "set_identifier", ewf_geometry(content).set_identifier);
}

}  // namespace

EwfMetadata read_ewf_metadata(EwfSet& set) {
  EwfMetadata metadata;
  // The fullest form first: what one of them says is not overwritten by a poorer one.
  for (const std::string_view wanted : {"xheader", "header2", "header", "xhash"}) {
    EwfFile& file = wanted == "xhash" ? set.files.back() : set.files.front();
    for (const EwfSegment::Header& header : file.segment.headers) {
      if (header.type != wanted) continue;
      const auto text = section_text(file, header);
      if (!text) {
        metadata.faults.push_back(
            file.name + ": its section " + header.type + " at byte " + std::to_string(header.at) +
            " is damaged; its copies are used, or else that description of the case is lost");
        continue;
      }
      if (wanted == "header2")
        take_tabbed(utf16_text(std::as_bytes(std::span(*text)), false), metadata.values);
      if (wanted == "header") take_tabbed(*text, metadata.values);
      if (wanted == "xheader") take_elements(*text, metadata.values);
      if (wanted == "xhash") {
        Values hashes;
        take_elements(*text, hashes);
        metadata.md5 = lower_hex(hashes, "MD5", 32);
        metadata.sha1 = lower_hex(hashes, "SHA1", 40);
      }
    }
  }
  take_geometry(set.geometry, metadata.values);
  return metadata;
}

}  // namespace touchstone
