// What Telegram keeps in TL-serialised blobs: the text of a message, who sent it, and a place it names. A
// Message has some twenty layouts (https://core.telegram.org/schema, one for each layer that changed it), and
// most of what may stand before the text is optional. All of them have the time of sending, an int, right
// before the text, and the database has that time in a column; so the text is found by it instead of by every
// layout there ever was. Bounded by the blob, which is read once; pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace touchstone::functions {

/// The text of the Message in `blob` that was sent at `date` (Unix seconds); nothing if it has none, is a
/// message of the service itself, or is not what it claims to be. A view into the blob.
std::optional<std::string_view> telegram_text(std::string_view blob, std::int32_t date);

/// Who sent it: the user's number, or the negative number of a group or channel that speaks for itself.
std::optional<std::int64_t> telegram_sender(std::string_view blob);

/// Whether the app shows that its text was changed: an edit_date without edit_hide, which marks changes of
/// buttons and reactions alone.
bool telegram_edited(std::string_view blob);

struct TelegramPlace {
  double latitude = 0, longitude = 0;
};
/// The first geoPoint in the blob.
std::optional<TelegramPlace> telegram_place(std::string_view blob);

/// The telephone number in the User of the table `users`, digits without "+".
std::optional<std::string_view> telegram_phone(std::string_view blob);

}  // namespace touchstone::functions
