// The text form of LVM2 metadata: nested sections of NAME = VALUE, where a value is a number, a string or a
// list.
#include <charconv>
#include <map>
#include <memory>
#include <variant>

#include "filesystem/lvm_volumes.hpp"
#include "filesystem/partition_table.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxNodes = 200'000;
constexpr std::size_t kMaxVolumes = 4096;
constexpr std::uint64_t kSector = 512;

using Scalar = std::variant<std::uint64_t, std::string>;

struct Section {
  std::map<std::string, std::vector<Scalar>, std::less<>> values;
  std::map<std::string, std::unique_ptr<Section>, std::less<>> sections;

  std::uint64_t number(std::string_view name) const {
    const auto found = values.find(name);
    if (found == values.end() || found->second.empty()) return 0;
    const auto* value = std::get_if<std::uint64_t>(&found->second.front());
    return value == nullptr ? 0 : *value;
  }
  std::string text(std::string_view name) const {
    const auto found = values.find(name);
    if (found == values.end() || found->second.empty()) return "";
    const auto* value = std::get_if<std::string>(&found->second.front());
    return value == nullptr ? "" : *value;
  }
  const Section* section(std::string_view name) const {
    const auto found = sections.find(name);
    return found == sections.end() ? nullptr : found->second.get();
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  /// False where the text breaks off or has another form.
  bool read(Section& section, int depth = 0) {
    if (depth > kMaxDepth) return false;
    while (true) {
      skip();
      if (at_ >= text_.size()) return depth == 0;
      if (text_[at_] == '}') {
        ++at_;
        return depth > 0;
      }
      const std::string name = word();
      if (name.empty() || ++nodes_ > kMaxNodes) return false;
      skip();
      if (eat('{')) {
        auto inner = std::make_unique<Section>();
        if (!read(*inner, depth + 1)) return false;
        section.sections[name] = std::move(inner);
      } else if (!eat('=') || !value(section.values[name])) {
        return false;
      }
    }
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool eat(char wanted) {
    skip();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  std::string word() {
    const std::size_t from = at_;
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n={}[],#\"").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return std::string(text_.substr(from, at_ - from));
  }
  bool scalar(std::vector<Scalar>& out) {
    if (++nodes_ > kMaxNodes) return false;
    if (eat('"')) {
      std::string text;
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') ++at_;
        if (at_ < text_.size()) text.push_back(text_[at_++]);
      }
      out.emplace_back(std::move(text));
      return eat('"');
    }
    const std::string digits = word();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // Negative and broken numbers mean nothing here, but the text goes on.
    out.emplace_back(error == std::errc() && end == digits.data() + digits.size() ? number : 0);
    return !digits.empty();
  }
  bool value(std::vector<Scalar>& out) {
    out.clear();
    if (!eat('[')) return scalar(out);
    while (!eat(']')) {
      if (at_ >= text_.size() || !scalar(out)) return false;
      eat(',');
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0, nodes_ = 0;
};

/// Identifiers are kept with dashes in the text and without in the label.
std::string without_dashes(std::string text) {
  std::erase(text, '-');
  return text;
}

class Group {
 public:
  Group(const Section& section, const std::string& own_uuid) {
    extent_ = in_bytes(section.number("extent_size"), kSector);
    const Section* members = section.section("physical_volumes");
    if (members == nullptr) return;
    for (const auto& [name, member] : members->sections) {
      if (without_dashes(member->text("id")) != own_uuid) continue;
      own_ = name;
      start_ = in_bytes(member->number("pe_start"), kSector);
    }
  }

  LvmVolume volume(const std::string& name, const Section& logical) const {
    LvmVolume found;
    found.name = to_valid_utf8(name);
    found.uuid = to_valid_utf8(logical.text("id"));
    const std::uint64_t count = logical.number("segment_count");
    for (std::uint64_t i = 1; i <= count && found.unreadable.empty(); ++i) {
      const Section* segment = logical.section("segment" + std::to_string(i));
      if (segment == nullptr) {
        found.unreadable = "its description is incomplete";
      } else {
        add_segment(found, *segment);
      }
    }
    if (count == 0) found.unreadable = "it has no segments";
    return found;
  }

 private:
  void add_segment(LvmVolume& volume, const Section& segment) const {
    const std::string type = segment.text("type");
    if (type != "striped" && type != "linear") {
      volume.unreadable = "segments of type \"" + to_valid_utf8(type) + "\" are not read";
      return;
    }
    const auto stripes = segment.values.find("stripes");
    if (segment.number("stripe_count") != 1 || stripes == segment.values.end() ||
        stripes->second.size() != 2) {
      volume.unreadable = "it is striped over several disks";
      return;
    }
    const auto* member = std::get_if<std::string>(&stripes->second[0]);
    const auto* first = std::get_if<std::uint64_t>(&stripes->second[1]);
    if (member == nullptr || first == nullptr || own_.empty() || *member != own_) {
      volume.unreadable = "part of it lies on another disk";
      return;
    }
    if (extent_ == 0) {
      volume.unreadable = "the size of an extent is missing";
      return;
    }
    LvmSegment piece{start_ + in_bytes(*first, extent_), in_bytes(segment.number("extent_count"), extent_)};
    constexpr std::uint64_t kMost = std::uint64_t{1} << 60;
    if (piece.offset > kMost || piece.length > kMost || volume.size + piece.length > kMost) {
      volume.unreadable = "a segment makes no sense";
      return;
    }
    if (!volume.segments.empty()) {
      LvmSegment& last = volume.segments.back();
      if (last.offset + last.length == piece.offset) {
        last.length += piece.length;
        volume.size += piece.length;
        return;
      }
    }
    volume.size += piece.length;
    volume.segments.push_back(piece);
  }

  std::string own_;
  std::uint64_t start_ = 0, extent_ = 0;
};

bool is_visible(const Section& logical) {
  const auto status = logical.values.find("status");
  if (status == logical.values.end()) return true;
  for (const Scalar& each : status->second) {
    const auto* text = std::get_if<std::string>(&each);
    if (text != nullptr && *text == "VISIBLE") return true;
  }
  return false;
}

}  // namespace

Result<LvmGroup> parse_lvm_metadata(std::string_view text, const std::string& physical_uuid) {
  Section root;
  Reader reader(text.substr(0, std::min(text.find('\0'), text.size())));
  const bool whole = reader.read(root);
  if (root.sections.empty()) return Error{ErrorCode::corrupt, "the LVM2 metadata cannot be understood"};
  if (!whole) return Error{ErrorCode::corrupt, "the LVM2 metadata breaks off"};
  LvmGroup group;
  const auto& [name, section] = *root.sections.begin();
  group.name = to_valid_utf8(name);
  group.uuid = to_valid_utf8(section->text("id"));
  const Section* members = section->section("physical_volumes");
  group.members = members == nullptr ? 0 : members->sections.size();
  const Group places(*section, without_dashes(physical_uuid));
  const Section* volumes = section->section("logical_volumes");
  if (volumes == nullptr) return group;
  for (const auto& [volume_name, logical] : volumes->sections) {
    if (group.volumes.size() >= kMaxVolumes) break;
    if (is_visible(*logical)) group.volumes.push_back(places.volume(volume_name, *logical));
  }
  return group;
}

}  // namespace touchstone::detail
