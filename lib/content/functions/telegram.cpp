#include "content/functions/telegram.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "content/functions/text_functions.hpp"
#include "content/functions/tl_reader.hpp"

namespace touchstone::functions {
namespace {

constexpr std::uint32_t kPeerUser = 0x59511722, kPeerChat = 0x36c6019a, kPeerChannel = 0xa2a5371e;
constexpr std::uint32_t kPeerUser32 = 0x9db1bc6d, kPeerChat32 = 0xbad0e5bb, kPeerChannel32 = 0xbddde532;
/// messageService of all layers, messageEmpty: they have an action, or nothing, where a message has its text.
constexpr std::array kTextless = {0x90a6ca84U, 0x83e5de54U, 0x9e19a1f6U, 0x286fa604U, 0x2b085862U,
                                  0xd3d28540U, 0x7a800e0aU, 0xc06b9607U, 0x1d86f70eU, 0x9f8d60bbU};
constexpr std::uint32_t kGeoPoint[] = {0xb2a2f663U, 0x296f104U};  // flags, longitude, latitude, access hash …
constexpr std::uint32_t kOldGeoPoint = 0x2049d70cU;               // longitude, latitude
constexpr std::uint32_t kHasFrom = 1U << 8U;
constexpr std::uint32_t kHasPhone = 1U << 4U;
/// What stands before the names: constructor and flags, a second word of flags in newer layers, the number in
/// 32 or 64 bits.
constexpr std::array kUserHeads = {std::size_t{20}, std::size_t{16}, std::size_t{12}};
/// Nothing if there is no Peer; 64 bits since layer 133, 32 before.
std::optional<std::int64_t> peer_at(std::string_view blob, std::size_t at) {
  const auto kind = word_at<std::uint32_t>(blob, at);
  if (!kind) return std::nullopt;
  const bool is_wide = *kind == kPeerUser || *kind == kPeerChat || *kind == kPeerChannel;
  if (!is_wide && *kind != kPeerUser32 && *kind != kPeerChat32 && *kind != kPeerChannel32)
    return std::nullopt;
  std::int64_t number = 0;
  if (is_wide) {
    const auto word = word_at<std::uint64_t>(blob, at + 4);
    if (!word || *word == 0 || *word > 0xffffffffffffULL) return std::nullopt;
    number = static_cast<std::int64_t>(*word);
  } else {
    const auto word = word_at<std::uint32_t>(blob, at + 4);
    if (!word || *word == 0) return std::nullopt;
    number = *word;
  }
  return *kind == kPeerUser || *kind == kPeerUser32 ? number : -number;
}

bool is_textless(std::uint32_t constructor) {
  return std::find(kTextless.begin(), kTextless.end(), constructor) != kTextless.end();
}

bool is_place(const TelegramPlace& place) {
  return std::isfinite(place.latitude) && std::isfinite(place.longitude) && std::abs(place.latitude) <= 90 &&
         std::abs(place.longitude) <= 180 && !(place.latitude == 0 && place.longitude == 0);
}

}  // namespace

std::optional<std::string_view> telegram_text(std::string_view blob, std::int32_t date) {
  const auto constructor = word_at<std::uint32_t>(blob, 0);
  if (!constructor || is_textless(*constructor) || date <= 0) return std::nullopt;
  for (std::size_t at = 8; at + 8 <= blob.size(); at += 4) {
    if (word_at<std::uint32_t>(blob, at) != static_cast<std::uint32_t>(date)) continue;
    const auto text = text_at(blob, at + 4);
    if (!text || !is_plain_text(text->text)) continue;  // the time of what was forwarded, say
    if (text->text.empty()) return std::nullopt;
    return text->text;
  }
  return std::nullopt;
}

std::optional<std::int64_t> telegram_sender(std::string_view blob) {
  const auto constructor = word_at<std::uint32_t>(blob, 0), flags = word_at<std::uint32_t>(blob, 4);
  if (!constructor || !flags || (*flags & kHasFrom) == 0) return std::nullopt;
  if (const auto peer = peer_at(blob, 12)) return peer;  // after flags and id
  const auto kind = word_at<std::uint32_t>(blob, 16);
  const bool is_old = kind == kPeerUser32 || kind == kPeerChat32 || kind == kPeerChannel32;
  // Newer layers have a second word of flags before the id.
  if (!is_old) return peer_at(blob, 16);
  // Below layer 118 it is an int, with the Peer of the conversation after it.
  const auto user = word_at<std::uint32_t>(blob, 12);
  return user && *user != 0 ? std::optional<std::int64_t>(*user) : std::nullopt;
}

bool telegram_edited(std::string_view blob) {
  constexpr std::uint32_t kEditDate = 1U << 15U, kEditHide = 1U << 21U;
  const auto constructor = word_at<std::uint32_t>(blob, 0), flags = word_at<std::uint32_t>(blob, 4);
  return constructor && flags && !is_textless(*constructor) &&
         (*flags & (kEditDate | kEditHide)) == kEditDate;
}

std::optional<TelegramPlace> telegram_place(std::string_view blob) {
  for (std::size_t at = 0; at + 20 <= blob.size(); at += 4) {
    const auto kind = word_at<std::uint32_t>(blob, at);
    const bool is_new = kind == kGeoPoint[0] || kind == kGeoPoint[1];
    if (!is_new && kind != kOldGeoPoint) continue;
    const std::size_t from = is_new && kind == kGeoPoint[0] ? at + 8 : at + 4;
    const auto longitude = word_at<std::uint64_t>(blob, from),
               latitude = word_at<std::uint64_t>(blob, from + 8);
    if (!longitude || !latitude) continue;
    const TelegramPlace place{std::bit_cast<double>(*latitude), std::bit_cast<double>(*longitude)};
    if (is_place(place)) return place;
  }
  return std::nullopt;
}

std::optional<std::string_view> telegram_phone(std::string_view blob) {
  const auto flags = word_at<std::uint32_t>(blob, 4);
  if (!flags || (*flags & kHasPhone) == 0) return std::nullopt;
  for (const std::size_t head : kUserHeads) {
    std::size_t at = head + ((*flags & 1U) != 0 ? 8 : 0);  // the access hash
    std::optional<Text> text;
    for (unsigned bit = 1; bit <= 4; ++bit) {  // first name, last name, user name, telephone
      if ((*flags & (1U << bit)) == 0) continue;
      text = text_at(blob, at);
      if (!text || !is_plain_text(text->text)) {
        text.reset();
        break;
      }
      at = text->end;
    }
    if (text && text->text.size() >= 4 && text->text.size() <= 15 &&
        std::all_of(text->text.begin(), text->text.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return text->text;
  }
  return std::nullopt;
}

}  // namespace touchstone::functions
