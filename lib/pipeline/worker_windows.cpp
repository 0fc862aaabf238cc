#include "pipeline/worker_windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>

#include "model/locator.hpp"

namespace touchstone {
namespace {

/// Ranges of one finding that are named; more say only that there are more.
constexpr std::size_t kRangesNamed = 4;

/// The byte that all of `source` consists of. Stops at the first that differs, so that bytes worth examining
/// cost next to nothing here.
std::optional<std::byte> only_byte(ByteSource& source) {
  std::vector<std::byte> block(Content::kBlock);
  std::optional<std::byte> only;
  for (std::uint64_t at = 0; at < source.size();) {
    const auto got = source.read_at(at, block);
    if (!got || *got == 0) return std::nullopt;
    if (!only) only = block[0];
    // Equal to itself moved by one: all are the first.
    if (block[0] != *only || std::memcmp(block.data(), block.data() + 1, *got - 1) != 0) return std::nullopt;
    at += *got;
  }
  // What could not be read came as zeros and is not known to be.
  return source.gaps().empty() ? only : std::nullopt;
}

Digests digests_of(Hasher& hasher, std::byte value, std::uint64_t size) {
  const std::vector<std::byte> block(static_cast<std::size_t>(std::min<std::uint64_t>(size, Content::kBlock)),
                                     value);
  for (std::uint64_t left = size; left > 0;) {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size()));
    hasher.update(std::span(block).first(part));
    left -= part;
  }
  return hasher.finish();
}

bool cover(const std::vector<ByteRange>& ranges, std::uint64_t size) {
  std::uint64_t bytes = 0;
  for (const ByteRange& range : ranges) bytes += range.length;
  return bytes >= size;
}

}  // namespace

bool is_memory_file(std::string_view name) {
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (folded == "pagefile.sys" || folded == "hiberfil.sys" || folded == "swapfile.sys") return true;
  if (folded == "sleepimage" || folded == "swap.img") return true;
  // macOS numbers its files: swapfile0, swapfile1 …
  return folded.starts_with("swapfile") &&
         std::all_of(folded.begin() + 8, folded.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string window_locator(const std::string& exhibit, const std::string& slot, bool slack,
                           const std::string& owner, ByteRange range) {
  Locator locator;
  locator.exhibit = exhibit;
  LocatorStep step;
  step.volume = slot;
  step.offset = range.offset;
  step.length = range.length;
  if (slack && owner.empty()) step.path = "/$Slack";
  step.address = owner;
  step.slack = !owner.empty();
  locator.steps.push_back(std::move(step));
  return locator.text();
}

std::string window_position(const RunMap& window, const std::string& position) {
  constexpr std::string_view kOffset = "offset ", kLength = " length ";
  const std::size_t middle = position.find(kLength);
  if (!position.starts_with(kOffset) || middle == std::string::npos) return position;
  std::uint64_t offset = 0, length = 0;
  const char* const text = position.data();
  const auto first = std::from_chars(text + kOffset.size(), text + middle, offset);
  const auto second = std::from_chars(text + middle + kLength.size(), text + position.size(), length);
  if (first.ec != std::errc() || second.ec != std::errc()) return position;
  std::string out = position + ", volume";
  const std::vector<ByteRange> places = window.place_of(offset, std::max<std::uint64_t>(length, 1));
  for (std::size_t i = 0; i < places.size() && i < kRangesNamed; ++i) {
    out += fmt::format("{}{}+{}", i == 0 ? " " : " and ", places[i].offset, places[i].length);
  }
  if (places.size() > kRangesNamed) out += " and more";
  if (const std::string owner = window.owner_of(offset); !owner.empty()) out += ", slack of " + owner;
  return out;
}

void set_note(wire::Examined& examined, const std::string& note, bool overwritten) {
  const bool examined_whole = examined.state() == to_text(ItemState::examined);
  if (note.empty() || (!examined_whole && !overwritten)) return;
  examined.set_item_state(examined_whole && overwritten ? to_text(ItemState::partly_examined)
                                                        : examined.state());
  examined.set_item_reason(examined_whole ? note : note + "; " + examined.reason());
}

bool Worker::State::examine_quickly(const wire::Place& place, std::uint32_t index, Content& content,
                                    const std::vector<ByteRange>& overwritten, bool window,
                                    UnitOutput& output) {
  const auto add_examined = [&]() -> wire::Examined& {
    wire::Examined& examined = *output.result().add_examined();
    examined.set_index(index);
    examined.set_state(to_text(ItemState::examined));
    return examined;
  };
  if (window) {
    const auto only = only_byte(content.source());
    if (!only) return false;
    const std::pair<std::byte, std::uint64_t> kind(*only, content.size());
    if (uniform.first != kind) uniform = {kind, digests_of(hasher, *only, content.size())};
    output.result().set_bytes_read(output.result().bytes_read() + content.size());
    wire::Examined& examined = add_examined();
    examined.set_size(content.size());
    examined.set_md5(uniform.second.md5);
    examined.set_sha1(uniform.second.sha1);
    examined.set_sha256(uniform.second.sha256);
    examined.set_media_type(kWindowMediaType);
    examined.set_exact(true);
    examined.set_item_state(to_text(ItemState::examined));
    examined.set_item_reason(*only == std::byte{0} ? "only zero bytes"
                                                   : fmt::format("only bytes of value 0x{:02x}",
                                                                 std::to_integer<unsigned>(*only)));
    return true;
  }
  if (!cover(overwritten, content.size())) return false;
  if (exhibits[place.exhibit()].gate->limited()) {
    wire::Examined& unread = add_examined();
    set_note(unread, place.note(), true);
    return true;
  }
  // Nothing of it is left: digests tell whose bytes stand there now, and that is all that may be said.
  if (const Status status = content.read(hasher, *typer, {}); !status) {
    ItemSink(output, index, place.locator())
        .problem("content", problem_kind(status.error().code), status.error().message, false);
    set_failed(add_examined(), status.error());
    return true;
  }
  output.result().set_bytes_read(output.result().bytes_read() + content.size());
  add_damage(output, index, content.gaps());
  wire::Examined& examined = add_examined();
  set_content(examined, content);
  examined.set_reused(true);
  set_note(examined, place.note(), true);
  return true;
}

}  // namespace touchstone
