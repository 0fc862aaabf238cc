#include "filesystem/trees/itunes_plist.hpp"

#include <plist/plist.h>

#include <bit>
#include <cmath>

#include "evidence/integers.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kMagic = "bplist";
constexpr std::size_t kHeader = 8, kTrailer = 32;
constexpr unsigned kSimple = 0, kInteger = 1, kReal = 2, kDate = 3, kData = 4, kAscii = 5, kUtf16 = 6,
                   kUid = 8, kArray = 10, kDictionary = 13;
constexpr double kAppleEpoch = 978'307'200;  // 2001-01-01 in seconds since 1970

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6U), put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12U), put(0x80 | (code >> 6U & 0x3f)), put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18U), put(0x80 | (code >> 12U & 0x3f)), put(0x80 | (code >> 6U & 0x3f)),
        put(0x80 | (code & 0x3f));
  }
}

std::string utf8_of_utf16(std::span<const std::byte> bytes) {
  std::string out;
  const auto unit = [&](std::size_t at) {
    return std::to_integer<std::uint32_t>(bytes[at]) << 8U | std::to_integer<std::uint32_t>(bytes[at + 1]);
  };
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xd800 && code < 0xdc00 && at + 3 < bytes.size()) {
      if (const std::uint32_t low = unit(at + 2); low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
        at += 2;
      }
    }
    append_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return out;
}

/// libplist takes what stands within what apart by calling itself.
constexpr std::size_t kMaxXmlNesting = 512;

bool nests_too_deep(std::string_view xml) {
  std::size_t depth = 0;
  for (std::size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const std::string_view tag = xml.substr(at + 1, 6);
    if (tag.starts_with("array") || tag.starts_with("dict")) {
      const std::size_t end = xml.find('>', at);
      if (end == std::string_view::npos) return false;
      if (xml[end - 1] != '/' && ++depth > kMaxXmlNesting) return true;
    } else if ((tag == "/array" || tag.starts_with("/dict")) && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// XML as a binary list; empty if it is none.
std::vector<std::byte> binary_of_xml(std::span<const std::byte> xml) {
  if (nests_too_deep(text_of(xml))) return {};
  plist_t list = nullptr;
  plist_from_xml(reinterpret_cast<const char*>(xml.data()), static_cast<std::uint32_t>(xml.size()), &list);
  if (!list) return {};
  char* out = nullptr;
  std::uint32_t size = 0;
  plist_to_bin(list, &out, &size);
  plist_free(list);
  std::vector<std::byte> bytes;
  if (out) {
    const auto made = std::as_bytes(std::span(out, size));
    bytes.assign(made.begin(), made.end());
    plist_to_bin_free(out);
  }
  return bytes;
}

}  // namespace

Result<Plist> Plist::parse(std::vector<std::byte> bytes) {
  if (bytes.size() > kMaxPlist)
    return Error{ErrorCode::limit,
                 "the property list is larger than " + std::to_string(kMaxPlist) + " bytes"};
  Plist list;
  if (!text_of(bytes).starts_with(kMagic)) {
    // libplist takes anything for XML and may read far into what is none.
    if (text_of(bytes).substr(0, 4096).find("<plist") == std::string_view::npos)
      return Error{ErrorCode::corrupt, "it is no property list"};
    bytes = binary_of_xml(bytes);
  }
  list.bytes_ = std::move(bytes);
  if (auto read = list.read_trailer(); !read) return read.error();
  return list;
}

Status Plist::read_trailer() {
  const Error corrupt{ErrorCode::corrupt, "the property list is damaged"};
  if (bytes_.size() < kHeader + kTrailer) return corrupt;
  const std::uint64_t trailer = bytes_.size() - kTrailer;
  offset_size_ = number_at(trailer + 6, 1);
  reference_size_ = number_at(trailer + 7, 1);
  objects_ = number_at(trailer + 8, 8);
  top_ = number_at(trailer + 16, 8);
  table_ = number_at(trailer + 24, 8);
  const bool sane = offset_size_ >= 1 && offset_size_ <= 8 && reference_size_ >= 1 && reference_size_ <= 8 &&
                    table_ >= kHeader && table_ < trailer && objects_ <= (trailer - table_) / offset_size_ &&
                    top_ < objects_;
  if (!sane) {
    objects_ = 0;
    return corrupt;
  }
  return {};
}

std::uint64_t Plist::number_at(std::uint64_t offset, std::size_t size) const {
  return big(bytes_at(offset, size), 0, size);
}

std::span<const std::byte> Plist::bytes_at(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
  return std::span(bytes_).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

std::optional<Plist::Object> Plist::object(std::uint64_t number) const {
  if (number >= objects_) return std::nullopt;
  std::uint64_t at = number_at(table_ + number * offset_size_, offset_size_);
  if (at < kHeader || at >= table_) return std::nullopt;
  const auto marker = static_cast<unsigned>(number_at(at++, 1));
  Object found{marker >> 4U, marker & 0xfU, at};
  const bool counted = found.type == kData || found.type == kAscii || found.type == kUtf16 ||
                       found.type == kArray || found.type == kDictionary;
  if (counted && found.count == 0xf) {  // an integer object has the count
    const auto size = static_cast<unsigned>(number_at(at, 1));
    if (size >> 4U != kInteger || (size & 0xfU) > 3) return std::nullopt;
    const std::size_t width = std::size_t{1} << (size & 0xfU);
    found.count = number_at(at + 1, width);
    found.at = at + 1 + width;
  }
  return found;
}

Plist::Value Plist::reference(const Object& container, std::uint64_t position) const {
  // A count that the bytes cannot hold leads behind them.
  if (position > bytes_.size() / reference_size_) return {};
  const auto bytes = bytes_at(container.at + position * reference_size_, reference_size_);
  if (bytes.empty()) return {};
  return value(number_at(container.at + position * reference_size_, reference_size_));
}

std::optional<std::int64_t> Plist::Value::integer() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kInteger || object->count > 4) return std::nullopt;
  const std::size_t size = std::size_t{1} << object->count;
  // Of sixteen bytes the lower eight; fewer than eight are unsigned.
  const std::uint64_t at = size == 16 ? object->at + 8 : object->at;
  const std::size_t width = std::min<std::size_t>(size, 8);
  if (list_->bytes_at(at, width).empty()) return std::nullopt;
  return static_cast<std::int64_t>(list_->number_at(at, width));
}

std::optional<bool> Plist::Value::boolean() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kSimple || (object->count != 8 && object->count != 9)) return std::nullopt;
  return object->count == 9;
}

std::optional<TimeUs> Plist::Value::date() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kDate || list_->bytes_at(object->at, 8).empty()) return std::nullopt;
  const auto seconds = std::bit_cast<double>(list_->number_at(object->at, 8)) + kAppleEpoch;
  constexpr double kMost = 253'402'300'800;  // the year 10000
  if (!std::isfinite(seconds) || seconds < -kMost || seconds > kMost) return std::nullopt;
  return static_cast<TimeUs>(std::llround(seconds * 1e6));
}

std::optional<std::string> Plist::Value::text() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object) return std::nullopt;
  if (object->type == kAscii) return to_valid_utf8(text_of(list_->bytes_at(object->at, object->count)));
  if (object->type != kUtf16 || object->count > list_->bytes_.size()) return std::nullopt;
  return utf8_of_utf16(list_->bytes_at(object->at, object->count * 2));
}

std::optional<std::span<const std::byte>> Plist::Value::data() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kData) return std::nullopt;
  return list_->bytes_at(object->at, object->count);
}

std::optional<std::uint64_t> Plist::Value::uid() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kUid || object->count > 7) return std::nullopt;
  const auto width = static_cast<std::size_t>(object->count) + 1;
  if (list_->bytes_at(object->at, width).empty()) return std::nullopt;
  return list_->number_at(object->at, width);
}

std::optional<double> Plist::Value::real() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kReal || (object->count != 2 && object->count != 3)) return std::nullopt;
  const std::size_t width = std::size_t{1} << object->count;
  if (list_->bytes_at(object->at, width).empty()) return std::nullopt;
  const std::uint64_t bits = list_->number_at(object->at, width);
  return width == 8 ? std::bit_cast<double>(bits)
                    : double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))};
}

bool Plist::Value::is_array() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  return object && object->type == kArray;
}

bool Plist::Value::is_dictionary() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  return object && object->type == kDictionary;
}

Plist::Value Plist::Value::key(std::size_t position) const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kDictionary || position >= object->count) return {};
  return list_->reference(*object, position);
}

Plist::Value Plist::Value::entry(std::size_t position) const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kDictionary || position >= object->count ||
      object->count > list_->bytes_.size())
    return {};
  return list_->reference(*object, object->count + position);
}

std::size_t Plist::Value::size() const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || (object->type != kArray && object->type != kDictionary)) return 0;
  const std::uint64_t room = (list_->bytes_.size() - object->at) / list_->reference_size_;
  return static_cast<std::size_t>(std::min<std::uint64_t>(object->count, room));
}

Plist::Value Plist::Value::at(std::size_t position) const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kArray || position >= object->count) return {};
  return list_->reference(*object, position);
}

Plist::Value Plist::Value::operator[](std::string_view key) const {
  const auto object = list_ ? list_->object(object_) : std::nullopt;
  if (!object || object->type != kDictionary) return {};
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) {
    const Value name = list_->reference(*object, i);
    const auto header = name.list_ ? list_->object(name.object_) : std::nullopt;
    if (!header || header->type != kAscii || text_of(list_->bytes_at(header->at, header->count)) != key)
      continue;
    return list_->reference(*object, object->count + i);
  }
  return {};
}

Plist::Value archived(Plist::Value objects, Plist::Value uid) {
  const auto number = uid.uid();
  return number ? objects.at(static_cast<std::size_t>(*number)) : objects.at(SIZE_MAX);
}

}  // namespace touchstone
