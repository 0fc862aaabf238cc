// The file of a message of Telegram for Android: what it is, and the name under which the app keeps it once
// it was downloaded. The media stand behind the text of the Message (telegram.hpp) and are found by the
// constructors of MessageMedia, Document and Photo (https://core.telegram.org/schema and its earlier layers);
// pictures of link previews are not the message's own and are passed over. Bounded by the blob; pure
// function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace touchstone::functions {

struct TelegramFile {
  /// As the app names it in its folders: a document `2_5388….pdf` by data centre and number, a picture
  /// `-5388…_121.jpg` by number and the letter of its size. Empty where the blob says too little.
  std::string stored_name;
  std::string name;  ///< as it was sent; empty for pictures, voice messages and the like
  std::string media_type;
};
std::optional<TelegramFile> telegram_file(std::string_view blob);

}  // namespace touchstone::functions
