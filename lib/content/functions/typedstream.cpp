#include "content/functions/typedstream.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "content/functions/text_functions.hpp"

namespace touchstone::functions {
namespace {

// Bytes that stand before a value instead of it.
constexpr unsigned kInt16 = 0x81, kInt32 = 0x82, kNew = 0x84, kNil = 0x85, kEnd = 0x86,
                   kFirstReference = 0x92;
constexpr std::size_t kMaxShared = 64;  // classes and type encodings before the string

class Stream {
 public:
  explicit Stream(std::string_view bytes) : rest_(bytes) {}

  bool header() {
    const auto version = integer();
    const auto name = version ? string() : std::nullopt;
    // "typedstream" would be big-endian: of computers before 2006.
    return version == 4U && name == "streamtyped" && integer();
  }

  /// The string of the object that stands next; `wrapped`: the string object within an attributed one.
  std::optional<std::string_view> object(bool wrapped) {
    if (shared(types_) != "@" || byte() != kNew) return std::nullopt;
    objects_.emplace_back();  // the object itself has a number, too
    const auto classes = class_chain();
    if (!classes) return std::nullopt;
    const auto is_a = [&](std::string_view name) {
      return std::find(classes->begin(), classes->end(), name) != classes->end();
    };
    if (is_a("NSString")) return shared(types_) == "+" ? text() : std::nullopt;
    if (is_a("NSAttributedString") && !wrapped) return object(true);
    return std::nullopt;
  }

 private:
  std::optional<unsigned> byte() {
    if (rest_.empty()) return std::nullopt;
    const auto value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::optional<std::size_t> integer_after(unsigned first) {
    if (first < 0x80) return first;
    const std::size_t size = first == kInt16 ? 2 : first == kInt32 ? 4 : 0;
    if (size == 0 || rest_.size() < size) return std::nullopt;
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= std::size_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    rest_.remove_prefix(size);
    return value;
  }
  std::optional<std::size_t> integer() {
    const auto first = byte();
    return first ? integer_after(*first) : std::nullopt;
  }
  std::optional<std::string_view> string() {
    const auto size = integer();
    if (!size || *size > rest_.size()) return std::nullopt;
    const std::string_view text = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
    return text;
  }
  /// The string's own bytes. There are streams whose count is larger than what is there: then what can be
  /// read up to the end of the object.
  std::optional<std::string_view> text() {
    const auto size = integer();
    if (!size) return std::nullopt;
    if (*size <= rest_.size()) return rest_.substr(0, *size);
    const std::string_view whole = valid_start(rest_);
    const bool ended = whole.size() < rest_.size() && static_cast<unsigned char>(rest_[whole.size()]) == kEnd;
    return ended ? std::optional(whole) : std::nullopt;
  }
  /// A string that is written once and then known by its number.
  std::optional<std::string_view> shared(std::vector<std::string_view>& known) {
    const auto first = byte();
    if (!first) return std::nullopt;
    if (*first >= kFirstReference) {
      const std::size_t number = *first - kFirstReference;
      return number < known.size() ? std::optional(known[number]) : std::nullopt;
    }
    const auto text = *first == kNew && known.size() < kMaxShared ? string() : std::nullopt;
    if (text) known.push_back(*text);
    return text;
  }
  /// Names of the class and those above it.
  std::optional<std::vector<std::string_view>> class_chain() {
    std::vector<std::string_view> names;
    std::vector<std::size_t> made;
    for (;;) {
      const auto first = byte();
      if (!first || names.size() > kMaxShared || objects_.size() > kMaxShared) return std::nullopt;
      if (*first == kNil) break;
      if (*first >= kFirstReference) {
        const std::size_t number = *first - kFirstReference;
        if (number >= objects_.size()) return std::nullopt;
        names.insert(names.end(), objects_[number].begin(), objects_[number].end());
        break;
      }
      const auto name = *first == kNew ? shared(types_) : std::nullopt;
      if (!name || !integer()) return std::nullopt;
      made.push_back(objects_.size());
      objects_.emplace_back();
      names.push_back(*name);
    }
    for (std::size_t i = 0; i < made.size(); ++i)
      objects_[made[i]].assign(names.begin() + static_cast<std::ptrdiff_t>(i), names.end());
    return names;
  }

  std::string_view rest_;
  std::vector<std::string_view> types_;                 ///< shared strings: type encodings and names
  std::vector<std::vector<std::string_view>> objects_;  ///< of a class, its chain; of an object, nothing
};

}  // namespace

Decoded typedstream_text(std::string_view bytes) {
  if (bytes.size() > kMaxInput) return {};
  Stream stream(bytes);
  if (!stream.header()) return {};
  const auto text = stream.object(false);
  if (!text || text->empty()) return {};
  return utf8_text(*text);
}

}  // namespace touchstone::functions
