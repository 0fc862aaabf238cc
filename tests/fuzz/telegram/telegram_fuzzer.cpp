// Telegram's blobs, markup and base64: what is given must lie in the input, or be no longer than it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "content/functions/markup.hpp"
#include "content/functions/telegram.hpp"
#include "content/functions/telegram_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::functions;
  const std::string_view blob(reinterpret_cast<const char*>(data), size);
  const auto within = [&](std::string_view text) {
    if (text.size() > size || text.data() < blob.data() || text.data() + text.size() > blob.data() + size)
      std::abort();
  };
  // The seeds were sent at this time.
  if (const auto text = telegram_text(blob, 1700000000)) within(*text);
  if (const auto phone = telegram_phone(blob)) within(*phone);
  telegram_sender(blob);
  telegram_place(blob);
  telegram_edited(blob);
  telegram_file(blob);
  if (markup_text(blob).bytes.size() > size) std::abort();
  if (base64_bytes(blob).bytes.size() > size) std::abort();
  return 0;
}
