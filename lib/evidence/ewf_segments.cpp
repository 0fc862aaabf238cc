#include "evidence/ewf_segments.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "evidence/ewf_layout.hpp"
#include "evidence/ewf_sections.hpp"

namespace touchstone {
namespace {

using ewf::kDescriptorSize;
using ewf::little_endian;

constexpr std::size_t kHeaderSize = 13;
// A segment of 2 TiB with the smallest tables in use has fewer sections by far; more is a forged chain.
constexpr std::uint32_t kMaxSections = 1'000'000;
constexpr std::uint32_t kMaxSegments = 99 + 22 * 26 * 26;  // E01–E99, EAA–ZZZ

/// Fills in how the segment ends, and why if it is cut.
Status walk_sections(ByteSource& file, EwfSectionReader& reader, EwfSegment& segment) {
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
    if (!ewf::checksum_fits(descriptor) && !reader.mend_descriptor(at, descriptor)) {
      return cut("has a damaged section descriptor at byte " + std::to_string(at));
    }
    std::array<char, 17> type{};
    std::memcpy(type.data(), descriptor.data(), 16);
    const std::string_view name(type.data());
    if (name == "next" || name == "done") {
      segment.end = name == "next" ? EwfSegment::End::next : EwfSegment::End::done;
      return {};
    }
    reader.take(at, descriptor);
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
  // "EVF" or "LVF" before the same five bytes.
  const auto begins = [&](const char* name) {
    return std::memcmp(header.data(), name, 3) == 0 &&
           std::memcmp(header.data() + 3, "\x09\x0d\x0a\xff", 5) == 0;
  };
  const bool logical = begins("LVF");
  if (*got < kHeaderSize || (!logical && !begins("EVF")))
    return Error{ErrorCode::corrupt, "does not begin as an EWF segment"};
  EwfSegment segment;
  segment.logical = logical;
  segment.size = file.size();
  segment.number = static_cast<std::uint16_t>(little_endian(header.data() + 9, 2));
  EwfSectionReader reader(file, segment);
  const Status walked = walk_sections(file, reader, segment);
  reader.finish();
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

EwfGeometry ewf_geometry(std::span<const std::byte> content) {
  EwfGeometry geometry;
  if (content.size() < 24) return geometry;
  const bool short_form = content.size() < 1052;
  geometry.chunks = little_endian(content.data() + 4, 4);
  geometry.sectors_per_chunk = little_endian(content.data() + 8, 4);
  geometry.bytes_per_sector = little_endian(content.data() + 12, 4);
  geometry.sectors = little_endian(content.data() + 16, short_form ? 4 : 8);
  if (short_form) return geometry;
  static constexpr char kDigits[] = "0123456789abcdef";
  bool any = false;
  for (const std::byte byte : content.subspan(64, 16)) {
    any = any || byte != std::byte{0};
    geometry.set_identifier.push_back(kDigits[std::to_integer<unsigned>(byte) >> 4]);
    geometry.set_identifier.push_back(kDigits[std::to_integer<unsigned>(byte) & 15]);
  }
  if (!any) geometry.set_identifier.clear();
  return geometry;
}

namespace {

// After a hole: how far on the next file may be, and how many such steps are made in all.
constexpr std::uint32_t kLookAhead = 200;

bool power_of_two(std::uint64_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

// Chunk count, sectors a chunk, bytes a sector and sectors in all, against each other and the tables.
bool agrees_with_tables(std::span<const std::byte> content, std::uint64_t chunks) {
  const EwfGeometry volume = ewf_geometry(content);
  return volume.chunks == chunks && chunks > 0 && power_of_two(volume.sectors_per_chunk) &&
         power_of_two(volume.bytes_per_sector) && volume.bytes_per_sector >= 512 &&
         volume.bytes_per_sector <= 65536 && volume.sectors_per_chunk <= 65536 &&
         (volume.sectors + volume.sectors_per_chunk - 1) / volume.sectors_per_chunk == chunks;
}

std::string set_identifier(const EwfSegment& segment) {
  for (const EwfSegment::Geometry& section : segment.geometry) {
    if (section.sound) return ewf_geometry(section.content).set_identifier;
  }
  return "";
}

class SetFinder {
 public:
  SetFinder(ImageInput& input, EwfSet& set) : input_(input), set_(set) {}

  Status run() {
    if (Status first = take_first(); !first) return first;
    std::uint32_t missing = 0;
    for (std::uint32_t number = 2; set_.files.back().segment.end != EwfSegment::End::done; ++number) {
      const auto name = ewf_segment_name(input_.name, number);
      if (!name) break;
      auto bytes = input_.open_sibling(*name);
      if (bytes && take_later(*name, std::move(bytes), number)) {
        if (missing > 0) describe_hole(number - missing, number);
        missing = 0;
      } else if (++missing > kLookAhead) {
        break;
      }
    }
    describe_end(missing);
    return {};
  }

 private:
  Status take_first() {
    auto segment = inspect_ewf_segment(*input_.bytes);
    if (!segment) return segment.error();
    if (segment->number != 1) {
      return Error{ErrorCode::corrupt,
                   "is segment " + std::to_string(segment->number) + " of an EWF set" + first_segment_hint()};
    }
    add({input_.name, std::move(input_.bytes), segment.take()});
    return {};
  }

  // The first segment by its name, to tell someone who gave E03 to give E01.
  std::string first_segment_hint() const {
    std::string first = input_.name;
    if (first.size() > 3) first.replace(first.size() - 2, 2, "01");
    return input_.open_sibling(first) ? ": give the first, " + first : ": give the first of the set";
  }

  bool take_later(const std::string& name, std::unique_ptr<ByteSource> bytes, std::uint32_t number) {
    auto segment = inspect_ewf_segment(*bytes);
    std::string wrong;
    if (!segment) {
      wrong = segment.error().message;
    } else if (segment->number != number) {
      wrong =
          "says that it is segment " + std::to_string(segment->number) + ", not " + std::to_string(number);
    } else if (segment->logical != set_.files.front().segment.logical) {
      wrong = segment->logical ? "is logical evidence, not part of a disk" : "is part of a disk";
    } else {
      const std::string own = set_identifier(*segment);
      const std::string of_first = set_identifier(set_.files.front().segment);
      if (!own.empty() && !of_first.empty() && own != of_first)
        wrong = "belongs to another set: its identifier is " + own + ", that of " + input_.name + " is " +
                of_first;
    }
    if (!wrong.empty()) {
      set_.troubles.push_back(name + " " + wrong + "; it is not used");
      return false;
    }
    add({name, std::move(bytes), segment.take()});
    return true;
  }

  void add(EwfFile file) {
    set_.bytes += file.segment.size;
    if (file.segment.end == EwfSegment::End::cut)
      set_.troubles.push_back(file.name + " " + file.segment.trouble);
    set_.files.push_back(std::move(file));
  }

  void describe_hole(std::uint32_t from, std::uint32_t to) {
    const std::string first = *ewf_segment_name(input_.name, from);
    const std::string last = *ewf_segment_name(input_.name, to - 1);
    const std::string before = set_.files[set_.files.size() - 2].name;
    set_.missing.push_back((to - from == 1 ? first + " is" : first + " to " + last + " are") + " missing: " +
                           before + " says more follow, and " + set_.files.back().name + " is there");
  }

  void describe_end(std::uint32_t missing) {
    const EwfFile& last = set_.files.back();
    if (last.segment.end == EwfSegment::End::done) return;
    const std::uint32_t number = std::uint32_t{last.segment.number} + 1;
    const auto name = ewf_segment_name(input_.name, number);
    // Whether more follow a file that is cut is not known.
    if (last.segment.end == EwfSegment::End::cut || missing == 0) return;
    set_.missing.push_back((name ? *name : "segment " + std::to_string(number)) +
                           " is missing: " + last.name + " says more follow");
  }

  ImageInput& input_;
  EwfSet& set_;
};

struct Place {
  EwfFile* file = nullptr;
  const EwfSegment::Geometry* section = nullptr;
};

/// Decides which volume section is right, and lists the damaged ones as faults of their files.
void settle_geometry(EwfSet& set) {
  std::optional<Place> source;
  std::vector<Place> damaged;
  for (EwfFile& file : set.files) {
    for (const EwfSegment::Geometry& section : file.segment.geometry) {
      if (!section.sound) damaged.push_back({&file, &section});
      if (section.sound && !source) source = Place{&file, &section};
    }
  }
  std::string consequence;
  if (source) {
    set.geometry = source->section->content;
    consequence = "; the copy in section " + source->section->type + " of " + source->file->name + " is used";
  } else {
    const auto fitting = std::find_if(damaged.begin(), damaged.end(), [&](const Place& place) {
      return set.complete() && agrees_with_tables(place.section->content, set.chunks());
    });
    if (fitting != damaged.end()) {
      set.geometry = fitting->section->content;
      consequence = "; its numbers agree with the tables and are used";
    }
  }
  for (const Place& place : damaged) {
    place.file->segment.faults.push_back("the checksum of its section " + place.section->type + " at byte " +
                                         std::to_string(place.section->at) + " is wrong" + consequence);
  }
}

}  // namespace

bool EwfSet::complete() const {
  return missing.empty() && troubles.empty() && !files.empty() &&
         files.back().segment.end == EwfSegment::End::done;
}

std::uint64_t EwfSet::chunks() const {
  std::uint64_t count = 0;
  for (const EwfFile& file : files) count += file.segment.chunks;
  return count;
}

Result<EwfSet> find_ewf_set(ImageInput& input) {
  EwfSet set;
  if (const Status found = SetFinder(input, set).run(); !found) return found.error();
  settle_geometry(set);
  return set;
}

}  // namespace touchstone
