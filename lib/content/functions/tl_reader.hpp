// Words and strings of TL, Telegram's serialisation (https://core.telegram.org/mtproto/serialize). All of
// them lie at multiples of four bytes. Views into the blob; inside `functions` only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace touchstone::functions {

/// TL text is shorter than 4,096 UTF-16 units for a message; captions are shorter yet.
constexpr std::size_t kMaxText = 64U << 10U;

template <typename Word>
std::optional<Word> word_at(std::string_view blob, std::size_t at) {
  if (at > blob.size() || blob.size() - at < sizeof(Word)) return std::nullopt;
  Word word = 0;
  for (std::size_t i = sizeof(Word); i-- > 0;)
    word = static_cast<Word>(word << 8U) | static_cast<Word>(static_cast<unsigned char>(blob[at + i]));
  return word;
}

/// A TL string: one byte of length, or 254 and three of them; the text; zeros up to a multiple of four.
struct Text {
  std::string_view text;
  std::size_t end = 0;
};
inline std::optional<Text> text_at(std::string_view blob, std::size_t at) {
  if (at >= blob.size()) return std::nullopt;
  std::size_t length = static_cast<unsigned char>(blob[at]), head = 1;
  if (length == 255) return std::nullopt;
  if (length == 254) {
    const auto word = word_at<std::uint32_t>(blob, at);
    if (!word) return std::nullopt;
    length = *word >> 8U, head = 4;
    if (length < 254) return std::nullopt;
  }
  const std::size_t padded = (head + length + 3) / 4 * 4;
  if (length > kMaxText || blob.size() - at < padded) return std::nullopt;
  for (std::size_t i = head + length; i < padded; ++i)
    if (blob[at + i] != 0) return std::nullopt;
  return Text{blob.substr(at + head, length), at + padded};
}

}  // namespace touchstone::functions
