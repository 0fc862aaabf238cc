#include "content/functions/telegram_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "content/functions/text_functions.hpp"
#include "content/functions/tl_reader.hpp"

namespace touchstone::functions {
namespace {

constexpr std::uint32_t kVector = 0x1cb5c415, kFileName = 0x15590068;
/// Constructors of MessageMedia with a word of flags before what they hold, and those without.
constexpr std::array kMediaWithFlags = {0x695150d7U, 0xe216eb63U, 0xb5223b0fU,  // messageMediaPhoto
                                        0x9cb070d7U, 0x4cf4d72dU, 0xdd570bd5U,
                                        0x52d8ccd9U, 0x7c4414d3U};  // messageMediaDocument
constexpr std::array kMediaPlain = {0x3d8ce53dU, 0xc8c45a2aU, 0xf3e02ea8U, 0x2fda2204U};

/// How the fields of a Document or Photo begin in a layer.
struct Layout {
  std::uint32_t constructor;
  bool has_flags, has_reference;
};
constexpr std::array kDocuments = {Layout{0x8fd4c4d8, true, true},   Layout{0x1e87342b, true, true},
                                   Layout{0x9ba29cc1, true, true},   Layout{0x59534e4c, false, true},
                                   Layout{0x87232bc7, false, false}, Layout{0xf9a39f4f, false, false}};
constexpr std::array kPhotos = {Layout{0xfb197a65, true, true}, Layout{0xd07504a5, true, true},
                                Layout{0x9c477dd8, true, true}, Layout{0x9288dd29, true, false}};

/// What stands at the start of both: constructor, flags, id, access hash, file reference, date.
struct Head {
  std::int64_t id = 0;
  std::size_t end = 0;
};
template <std::size_t Count>
std::optional<Head> head_at(std::string_view blob, std::size_t at, const std::array<Layout, Count>& layouts) {
  const auto constructor = word_at<std::uint32_t>(blob, at);
  const auto layout = std::find_if(layouts.begin(), layouts.end(),
                                   [&](const Layout& each) { return each.constructor == constructor; });
  if (layout == layouts.end()) return std::nullopt;
  at += layout->has_flags ? 8 : 4;
  const auto id = word_at<std::uint64_t>(blob, at);
  if (!id || *id == 0) return std::nullopt;
  at += 16;
  if (layout->has_reference) {
    const auto reference = text_at(blob, at);
    if (!reference) return std::nullopt;
    at = reference->end;
  }
  if (!word_at<std::uint32_t>(blob, at)) return std::nullopt;
  return Head{static_cast<std::int64_t>(*id), at + 4};
}

bool is_attribute(std::uint32_t word) {
  constexpr std::array kAttributes = {0x6c37c15cU, 0x11b58939U, 0x6319d612U, 0x3a556302U, 0xfb0a5727U,
                                      0x43c57c48U, 0xd38ff1c2U, 0x17399fadU, 0x0ef02ce6U, 0x5910cccbU,
                                      0x9852f9c6U, 0xded218e0U, kFileName,   0x9801d2f7U, 0xfd149899U};
  return std::find(kAttributes.begin(), kAttributes.end(), word) != kAttributes.end();
}

/// The number of the data centre stands before the vector of attributes, in some layers with a version
/// between.
std::optional<std::uint32_t> data_centre(std::string_view blob, std::size_t from) {
  for (std::size_t at = from; at + 16 <= blob.size(); at += 4) {
    if (word_at<std::uint32_t>(blob, at + 4) != kVector) continue;
    const auto count = word_at<std::uint32_t>(blob, at + 8), first = word_at<std::uint32_t>(blob, at + 12);
    if (!count || *count == 0 || *count > 16 || !first || !is_attribute(*first)) continue;
    for (const std::size_t back : {std::size_t{0}, std::size_t{4}}) {
      if (at < from + back) break;
      const auto centre = word_at<std::uint32_t>(blob, at - back);
      if (centre && *centre >= 1 && *centre <= 5) return centre;
    }
  }
  return std::nullopt;
}

std::string sent_name(std::string_view blob, std::size_t from) {
  for (std::size_t at = from; at + 8 <= blob.size(); at += 4) {
    if (word_at<std::uint32_t>(blob, at) != kFileName) continue;
    const auto text = text_at(blob, at + 4);
    if (text && !text->text.empty() && is_plain_text(text->text)) return std::string(text->text);
  }
  return {};
}

/// As the app chooses it: that of the name, or else by the media type.
std::string extension_of(const std::string& name, std::string_view media_type) {
  const std::size_t dot = name.rfind('.');
  // A slash would lead elsewhere; the app takes it out of the names it stores.
  if (dot != std::string::npos && name.size() - dot > 1 && name.find('/', dot) == std::string::npos)
    return name.substr(dot);
  if (media_type == "video/mp4") return ".mp4";
  if (media_type == "video/x-matroska") return ".mkv";
  if (media_type == "audio/ogg") return ".ogg";
  return {};
}

std::optional<TelegramFile> document_at(std::string_view blob, std::size_t at) {
  const auto head = head_at(blob, at, kDocuments);
  if (!head) return std::nullopt;
  const auto media_type = text_at(blob, head->end);
  if (!media_type || !is_plain_text(media_type->text) || media_type->text.size() > 255) return std::nullopt;
  TelegramFile file;
  file.media_type = media_type->text;
  file.name = sent_name(blob, media_type->end);
  if (const auto centre = data_centre(blob, media_type->end))
    file.stored_name = fmt::format("{}_{}{}", *centre, head->id, extension_of(file.name, file.media_type));
  return file;
}

/// One PhotoSize: the name of its file and how large it is. `end` is 0 where its layout is not known.
struct Size {
  std::string stored_name;
  std::uint64_t pixels = 0;
  std::size_t end = 0;
};
Size size_at(std::string_view blob, std::size_t at, std::int64_t photo) {
  constexpr std::uint32_t kEmpty = 0x0e17e23c, kPlain = 0x75c78e60, kCached = 0x021e1ad6,
                          kStripped = 0xe0b0bc2e, kProgressive = 0xfa3efb95, kOutline = 0xd8214d41,
                          kLocated = 0x77bfb61b, kLocation = 0xbc7fc6cd, kOldLocation = 0x53d69076;
  const auto constructor = word_at<std::uint32_t>(blob, at);
  const auto type = text_at(blob, at + 4);
  Size size;
  if (!constructor || !type || type->text.size() != 1) return size;
  std::size_t next = type->end;
  size.stored_name =
      fmt::format("{}_{}.jpg", -photo, static_cast<unsigned>(static_cast<unsigned char>(type->text.front())));
  if (constructor == kLocated) {
    const auto location = word_at<std::uint32_t>(blob, next);
    const std::size_t volume_at = location == kOldLocation ? next + 8 : next + 4;
    const auto volume = word_at<std::uint64_t>(blob, volume_at);
    const auto local = word_at<std::uint32_t>(blob, volume_at + 8);
    if ((location != kLocation && location != kOldLocation) || !volume || !local) return {};
    size.stored_name = fmt::format("{}_{}.jpg", static_cast<std::int64_t>(*volume), *local);
    next = volume_at + (location == kOldLocation ? 20 : 12);
  }
  if (constructor == kEmpty) return {"", 0, next};
  if (constructor == kStripped || constructor == kOutline) {
    const auto bytes = text_at(blob, next);
    return {"", 0, bytes ? bytes->end : 0};
  }
  const auto width = word_at<std::uint32_t>(blob, next), height = word_at<std::uint32_t>(blob, next + 4);
  if (!width || !height) return {};
  size.pixels = static_cast<std::uint64_t>(*width) * *height;
  next += 8;
  if (constructor == kPlain || constructor == kLocated) {
    size.end = next + 4;
  } else if (constructor == kCached) {
    const auto bytes = text_at(blob, next);
    return {"", 0, bytes ? bytes->end : 0};
  } else if (constructor == kProgressive) {
    const auto count = word_at<std::uint32_t>(blob, next + 4);
    if (word_at<std::uint32_t>(blob, next) == kVector && count && *count <= 64)
      size.end = next + 8 + *count * 4UL;
  }
  return size;
}

std::optional<TelegramFile> photo_at(std::string_view blob, std::size_t at) {
  const auto head = head_at(blob, at, kPhotos);
  if (!head) return std::nullopt;
  TelegramFile file;
  file.media_type = "image/jpeg";
  const auto count = word_at<std::uint32_t>(blob, head->end + 4);
  if (word_at<std::uint32_t>(blob, head->end) != kVector || !count || *count > 16) return file;
  std::uint64_t largest = 0;
  std::size_t next = head->end + 8;
  for (std::uint32_t i = 0; i < *count; ++i) {
    Size size = size_at(blob, next, head->id);
    if (size.end == 0) break;
    next = size.end;
    if (size.pixels <= largest) continue;
    largest = size.pixels;
    file.stored_name = std::move(size.stored_name);
  }
  return file;
}

template <std::size_t Count>
bool is_one_of(const std::array<std::uint32_t, Count>& list, std::optional<std::uint32_t> word) {
  return word && std::find(list.begin(), list.end(), *word) != list.end();
}

}  // namespace

std::optional<TelegramFile> telegram_file(std::string_view blob) {
  for (std::size_t at = 8; at + 4 <= blob.size(); at += 4) {
    const auto word = word_at<std::uint32_t>(blob, at);
    std::size_t inside = 0;
    if (is_one_of(kMediaWithFlags, word)) inside = at + 8;
    if (is_one_of(kMediaPlain, word)) inside = at + 4;
    if (inside == 0) continue;
    if (auto document = document_at(blob, inside)) return document;
    if (auto photo = photo_at(blob, inside)) return photo;
  }
  return std::nullopt;
}

}  // namespace touchstone::functions
