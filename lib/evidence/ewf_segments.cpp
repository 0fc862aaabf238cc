#include "evidence/ewf_segments.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "evidence/ewf_layout.hpp"
#include "evidence/ewf_mend.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

using ewf::kDescriptorSize;
using ewf::little_endian;

constexpr std::size_t kHeaderSize = 13;
// A segment of 2 TiB with the smallest tables in use has fewer sections by far; more is a forged chain.
constexpr std::uint32_t kMaxSections = 1'000'000;
constexpr std::uint32_t kMaxSegments = 99 + 22 * 26 * 26;  // E01–E99, EAA–ZZZ

std::string base_name(const std::string& path) {
  return fs::path(path).filename().string();
}

/// Fills in how the segment ends, and why if it is cut.
Status walk_sections(ByteSource& file, SectionMender& mender, EwfSegment& segment) {
  const std::uint64_t size = file.size();
  std::uint64_t at = kHeaderSize;
  const auto cut = [&](std::string why) {
    segment.end = EwfSegment::End::cut;
    segment.trouble = std::move(why);
    return Status{};
  };
  for (std::uint32_t section = 0; section < kMaxSections; ++section) {
    if (size < kDescriptorSize || at > size - kDescriptorSize) {
      return cut("is cut short: the next section should lie at byte " + std::to_string(at) +
                 ", the file has " + std::to_string(size));
    }
    std::array<std::byte, kDescriptorSize> descriptor{};
    const auto got = file.read_at(at, descriptor);
    if (!got) return got.error();
    if (*got < kDescriptorSize) return cut("is cut short at byte " + std::to_string(at));
    if (!ewf::checksum_fits(descriptor) && !mender.mend_descriptor(at, descriptor)) {
      return cut("has a damaged section descriptor at byte " + std::to_string(at));
    }
    std::array<char, 17> type{};
    std::memcpy(type.data(), descriptor.data(), 16);
    const std::string_view name(type.data());
    if (name == "next" || name == "done") {
      segment.end = name == "next" ? EwfSegment::End::next : EwfSegment::End::done;
      return {};
    }
    mender.check(at, descriptor);
    const std::uint64_t next = little_endian(descriptor.data() + 16, 8);
    if (next <= at) {
      return cut("has a section chain that ends at byte " + std::to_string(at) +
                 " without saying whether more segments follow");
    }
    at = next;
  }
  return cut("has more sections than any real segment");
}

}  // namespace

Result<EwfSegment> inspect_ewf_segment(ByteSource& file) {
  std::array<std::byte, kHeaderSize> header{};
  const auto got = file.read_at(0, header);
  if (!got) return got.error();
  if (*got < kHeaderSize || std::memcmp(header.data(), "EVF\x09\x0d\x0a\xff\x00", 8) != 0) {
    return Error{ErrorCode::corrupt, "does not begin as an EWF segment"};
  }
  EwfSegment segment;
  segment.number = static_cast<std::uint16_t>(little_endian(header.data() + 9, 2));
  SectionMender mender(file, segment);
  const Status walked = walk_sections(file, mender, segment);
  mender.finish();
  if (!walked) return walked.error();
  return segment;
}

std::optional<std::string> ewf_segment_name(const std::string& first, std::uint32_t number) {
  if (first.size() < 4 || number < 1 || number > kMaxSegments) return std::nullopt;
  const std::size_t at = first.size() - 3;
  const char letter = first[at];
  const bool upper = letter >= 'A' && letter <= 'Z';
  if ((!upper && (letter < 'a' || letter > 'z')) || first.compare(at - 1, 1, ".") != 0 ||
      first.compare(at + 1, 2, "01") != 0) {
    return std::nullopt;
  }
  std::string name = first;
  if (number <= 99) {
    name[at + 1] = static_cast<char>('0' + number / 10);
    name[at + 2] = static_cast<char>('0' + number % 10);
    return name;
  }
  const std::uint32_t index = number - 100;
  const char base = upper ? 'A' : 'a';
  const std::uint32_t leading = static_cast<std::uint32_t>(letter - base) + index / 676;
  if (leading > 25) return std::nullopt;
  name[at] = static_cast<char>(base + leading);
  name[at + 1] = static_cast<char>(base + index / 26 % 26);
  name[at + 2] = static_cast<char>(base + index % 26);
  return name;
}

namespace {

// The segment's number as its name says it, to tell someone who gave E03 to give E01.
std::string first_segment_hint(const std::string& path) {
  std::string first = path;
  if (first.size() > 3) first.replace(first.size() - 2, 2, "01");
  std::error_code ignored;
  return fs::exists(first, ignored) ? ": give the first, " + base_name(first) : ": give the first of the set";
}

// A file after the hole shows that the hole is in the middle, not at the end.
std::string later_segment(const std::string& first, std::uint32_t number) {
  constexpr std::uint32_t kLookAhead = 100;
  for (std::uint32_t n = number + 1; n <= number + kLookAhead; ++n) {
    const auto name = ewf_segment_name(first, n);
    std::error_code ignored;
    if (name && fs::exists(*name, ignored)) return *name;
  }
  return "";
}

void describe_missing(EwfSet& set, const std::string& first, std::uint32_t number) {
  const auto wanted = ewf_segment_name(first, number);
  const std::string name = wanted ? base_name(*wanted) : "segment " + std::to_string(number);
  set.missing = name + " is missing: " + base_name(set.files.back()) + " says more follow";
  const std::string later = later_segment(first, number);
  if (!later.empty())
    set.missing += "; " + base_name(later) + " and what comes after it cannot be used without it";
}

/// Adds the files to `set`, one after the other.
Status collect_segments(const std::string& first_path, EwfSet& set) {
  for (std::uint32_t number = 1;; ++number) {
    const auto name = number == 1 ? std::optional(first_path) : ewf_segment_name(first_path, number);
    std::error_code ignored;
    if (!name || (number > 1 && !fs::exists(*name, ignored))) {
      describe_missing(set, first_path, number);
      return {};
    }
    auto file = open_file_source(*name);
    if (!file) return file.error();
    auto segment = inspect_ewf_segment(**file);
    if (!segment) {
      if (number == 1) return Error{segment.error().code, *name + " " + segment.error().message};
      set.troubles.push_back(base_name(*name) + " " + segment.error().message);
      describe_missing(set, first_path, number);
      return {};
    }
    if (segment->number != number) {
      const std::string says =
          base_name(*name) + " says that it is segment " + std::to_string(segment->number);
      if (number == 1)
        return Error{ErrorCode::corrupt, *name + " is segment " + std::to_string(segment->number) +
                                             " of an EWF set" + first_segment_hint(*name)};
      set.troubles.push_back(says + ", not " + std::to_string(number));
      describe_missing(set, first_path, number);
      return {};
    }
    set.files.push_back(*name);
    set.segments.push_back(std::move(*segment));
    const EwfSegment& added = set.segments.back();
    set.bytes += (*file)->size();
    set.chunks += added.chunks;
    if (added.end == EwfSegment::End::done) {
      set.complete = true;
      return {};
    }
    // How many chunks a damaged file held is not known: those of later files have no place any more.
    if (added.end == EwfSegment::End::cut) {
      std::string trouble = base_name(*name) + " " + added.trouble;
      const auto next = ewf_segment_name(first_path, number + 1);
      if (next && fs::exists(*next, ignored)) {
        trouble += "; " + base_name(*next) + " and what comes after it cannot be used without it";
      }
      set.troubles.push_back(std::move(trouble));
      return {};
    }
  }
}

}  // namespace

std::string EwfSet::name(std::size_t index) const {
  return base_name(files[index]);
}

bool EwfSet::patched() const {
  return std::any_of(segments.begin(), segments.end(),
                     [](const EwfSegment& segment) { return !segment.patches.empty(); });
}

Result<EwfSet> find_ewf_set(const std::string& first_path) {
  EwfSet set;
  if (const Status collected = collect_segments(first_path, set); !collected) return collected.error();
  mend_geometry(set);
  return set;
}

}  // namespace touchstone
