// Whatever the bytes, the decoders of app definitions end, keep their bounds, and give text that is UTF-8.
// The target is told by FUNCTIONS_TARGET: one program for each decoder.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "content/functions/epochs.hpp"
#include "content/functions/inflate.hpp"
#include "content/functions/json_value.hpp"
#include "content/functions/phone_number.hpp"
#include "content/functions/property_list.hpp"
#include "content/functions/protobuf_fields.hpp"
#include "content/functions/text_functions.hpp"
#include "content/functions/typedstream.hpp"

namespace {

using touchstone::functions::Decoded;

void check(const Decoded& value) {
  if (value.bytes.size() > touchstone::functions::kMaxOutput) std::abort();
  if (value.kind == Decoded::Kind::text && !touchstone::functions::is_valid_utf8(value.bytes)) std::abort();
}

[[maybe_unused]] void protobuf(std::string_view bytes) {
  check(touchstone::functions::protobuf_json(bytes));
  check(touchstone::functions::protobuf_count(bytes, "1.2"));
  for (const char* as : {"auto", "text", "blob", "int", "sint", "double", "float"})
    for (const char* path : {"1", "2.1", "3[1].2"})
      check(touchstone::functions::protobuf_field(bytes, path, as));
}

[[maybe_unused]] void plist(std::string_view bytes) {
  check(touchstone::functions::plist_json(bytes));
  for (const char* path : {"", "a", "0/0", "NS.objects/0", "a~1b/1"})
    check(touchstone::functions::plist_value(bytes, path));
}

[[maybe_unused]] void typedstream(std::string_view bytes) {
  check(touchstone::functions::typedstream_text(bytes));
}

[[maybe_unused]] void inflate(std::string_view bytes) {
  check(touchstone::functions::inflated(bytes));
}

[[maybe_unused]] void texts(std::string_view bytes) {
  check(touchstone::functions::utf16_text(bytes));
  check(touchstone::functions::utf8_text(bytes));
  const std::size_t half = bytes.size() / 2;
  touchstone::functions::JsonValues json;
  check(json.get(bytes.substr(0, half), bytes.substr(half)));
  if (const auto number = touchstone::functions::number_of(bytes))
    for (int epoch = 0; epoch < touchstone::functions::kEpochs; ++epoch)
      touchstone::functions::to_unix_us(static_cast<touchstone::functions::Epoch>(epoch), *number);
}

[[maybe_unused]] void phone(std::string_view bytes) {
  touchstone::functions::PhoneNumbers phones;
  check(phones.normal_form(bytes, "GB"));
  check(phones.normal_form(bytes.substr(bytes.size() / 2), bytes.substr(0, bytes.size() / 2)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FUNCTIONS_TARGET(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
