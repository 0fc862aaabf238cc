// Images inside images: a virtual disk or an image file found on a volume, in a container or carved. Its
// volumes are listed and walked like those of an exhibit.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "evidence/image_format.hpp"
#include "pipeline/worker_state.hpp"

namespace touchstone {
namespace {

// Smaller than any volume with a file on it.
constexpr std::uint64_t kLeastImage = 16 * 1024;
// Open at once, beside the chain at hand: each may hold a member in memory.
constexpr std::size_t kOpenNested = 4;

wire::Place place_of(const wire::Place& inner) {
  wire::Place place;
  const wire::Outer& outer = *inner.outer().rbegin();
  place.set_exhibit(inner.exhibit());
  *place.mutable_volume() = outer.volume();
  place.set_path(outer.path());
  place.set_address(outer.address());
  *place.mutable_steps() = outer.steps();
  place.set_locator(outer.locator());
  place.set_name(outer.name());
  for (int i = 0; i + 1 < inner.outer_size(); ++i) *place.add_outer() = inner.outer(i);
  return place;
}

/// What no raw image begins without: a boot sector, a partition table, or the magic of a file system. Chance
/// meets some of these; list_volumes() then finds nothing.
bool may_be_raw_image(ByteSource& bytes) {
  struct Sign {
    std::uint64_t offset;
    std::string_view text;
  };
  // The last one reaches farthest.
  static constexpr std::array<Sign, 12> kSigns = {{{510, {"\x55\xAA", 2}},
                                                   {512, "EFI PART"},
                                                   {4096, "EFI PART"},
                                                   {512, "PM"},
                                                   {1080, "\x53\xEF"},
                                                   {1024, "H+"},
                                                   {1024, "HX"},
                                                   {32, "NXSB"},
                                                   {0, "XFSB"},
                                                   {0, {"LUKS\xBA\xBE", 6}},
                                                   {3, "-FVE-FS-"},
                                                   {32769, "CD001"}}};
  // One read: some bytes are dear to come by, such as the first ones of a file in a packed stream.
  std::vector<std::byte> begin(kSigns.back().offset + kSigns.back().text.size());
  const auto got = bytes.read_at(0, begin);
  if (!got) return false;
  const std::string_view have(reinterpret_cast<const char*>(begin.data()), *got);
  return std::any_of(kSigns.begin(), kSigns.end(), [&](const Sign& sign) {
    return sign.offset < have.size() && have.substr(sign.offset).starts_with(sign.text);
  });
}

}  // namespace

Result<ExhibitSource*> Worker::State::image_of(const wire::Place& place) {
  OpenExhibit& exhibit = exhibits[place.exhibit()];
  if (place.outer_size() == 0) {
    if (!exhibit.source) return Error{ErrorCode::io, exhibit.error};
    return exhibit.source.get();
  }
  const std::string& locator = place.outer().rbegin()->locator();
  if (const auto found = exhibit.nested.find(locator); found != exhibit.nested.end() && found->second.source)
    return found->second.source.get();
  const wire::Place item = place_of(place);
  static const UnitOutput::Emit discard = [](const wire::Result&) {};
  UnitOutput nowhere(0, discard);
  auto bytes = open(item, nowhere);
  if (!bytes) return bytes.error();
  const wire::Outer& outer = *place.outer().rbegin();
  const auto sibling = [&](const std::string& name) { return neighbour(item, outer.ancestors(), name); };
  auto image = open_image(bytes.take(), outer.name(), sibling, exhibit.volume_options.secrets);
  if (!image) return image.error();
  NestedImage& kept = exhibit.nested[locator];
  kept.source = image.take();
  return kept.source.get();
}

void Worker::State::forget_nested() {
  std::size_t open = 0;
  for (const OpenExhibit& exhibit : exhibits) open += exhibit.nested.size();
  if (open <= kOpenNested) return;
  // The container at hand may lie on one of them.
  container.reset();
  container_locator.clear();
  for (OpenExhibit& exhibit : exhibits) {
    for (auto& [locator, image] : exhibit.nested) image.file_systems.clear();
  }
  // Inner ones read from outer ones, whose locators are shorter beginnings of theirs.
  for (OpenExhibit& exhibit : exhibits) {
    while (!exhibit.nested.empty()) exhibit.nested.erase(std::prev(exhibit.nested.end()));
  }
}

bool Worker::State::is_image(const wire::Place& place, Content& content) {
  if (content.size() < kLeastImage || place.rows_only() || depth_of(place) >= kMaxContainerDepth)
    return false;
  if (exhibits[place.exhibit()].gate->limited()) return false;
  ByteSource& bytes = content.source();
  const auto format = detect_image_format(bytes);
  if (format && format->format == ImageFormat::archive) return false;  // its members are listed already
  if (format && format->format != ImageFormat::raw) return format->format != ImageFormat::unsupported;
  if (!may_be_raw_image(bytes)) return false;
  std::vector<Problem> problems;
  for (const Volume& volume : list_volumes(bytes, 512, problems, exhibits[place.exhibit()].volume_options)) {
    if (volume.state == VolumeState::read || volume.state == VolumeState::partly_read ||
        volume.state == VolumeState::encrypted || !volume.filesystem.empty())
      return true;
  }
  return false;
}

void Worker::State::follow_image(const wire::Unit& unit, const wire::Place& place, wire::Examined& examined) {
  wire::Unit& next = *examined.mutable_follow();
  next.set_kind(wire::UNIT_VOLUMES);
  wire::Place& inside = *next.mutable_place();
  inside.set_exhibit(place.exhibit());
  *inside.mutable_outer() = place.outer();
  inside.set_locator(place.locator());
  wire::Outer& outer = *inside.add_outer();
  *outer.mutable_volume() = place.volume();
  outer.set_path(place.path());
  outer.set_address(place.address());
  *outer.mutable_steps() = place.steps();
  outer.set_locator(place.locator());
  outer.set_name(place.name());
  if (place.steps_size() == 0) *outer.mutable_ancestors() = unit.ancestors();
}

}  // namespace touchstone
