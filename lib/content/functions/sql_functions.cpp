#include "content/functions/sql_functions.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "content/functions/epochs.hpp"
#include "content/functions/inflate.hpp"
#include "content/functions/json_value.hpp"
#include "content/functions/markup.hpp"
#include "content/functions/phone_number.hpp"
#include "content/functions/property_list.hpp"
#include "content/functions/protobuf_fields.hpp"
#include "content/functions/telegram.hpp"
#include "content/functions/telegram_file.hpp"
#include "content/functions/text_functions.hpp"
#include "content/functions/typedstream.hpp"

namespace touchstone {
namespace {

using functions::Decoded;

/// What the functions of one connection keep.
struct State {
  std::string country;
  functions::PhoneNumbers phones;
  functions::JsonValues json;
};
using Arguments = std::vector<sqlite3_value*>;
using Function = Decoded (*)(State& state, const Arguments& arguments);

std::string_view bytes_of(sqlite3_value* value) {
  const void* data =
      sqlite3_value_type(value) == SQLITE_BLOB ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view();
}

template <functions::Epoch kEpoch>
Decoded epoch(State& /*state*/, const Arguments& arguments) {
  std::optional<functions::Number> number;
  switch (sqlite3_value_type(arguments[0])) {
    case SQLITE_INTEGER:
      number = functions::Number(std::int64_t{sqlite3_value_int64(arguments[0])});
      break;
    case SQLITE_FLOAT:
      number = functions::Number(sqlite3_value_double(arguments[0]));
      break;
    case SQLITE_TEXT:
      number = functions::number_of(bytes_of(arguments[0]));
      break;
    default:
      break;
  }
  const auto us = number ? functions::to_unix_us(kEpoch, *number) : std::nullopt;
  return us ? Decoded::of(*us) : Decoded{};
}

/// `path`, `name` or `media_type` of a message's file.
Decoded file_field(std::string_view blob, std::string_view field) {
  auto file = functions::telegram_file(blob);
  if (!file) return {};
  std::string value = field == "path" ? file->stored_name : field == "name" ? file->name : file->media_type;
  return value.empty() ? Decoded{} : Decoded::text(std::move(value));
}

struct Entry {
  std::string_view name;
  int arguments;
  Function run;
};

// Sorted by name: looked up by halves.
constexpr Entry kFunctions[] = {
    {"base64_bytes", 1, [](State&, const Arguments& a) { return functions::base64_bytes(bytes_of(a[0])); }},
    {"cocoa_any", 1, epoch<functions::Epoch::cocoa_any>},
    {"cocoa_ns", 1, epoch<functions::Epoch::cocoa_ns>},
    {"cocoa_s", 1, epoch<functions::Epoch::cocoa_s>},
    {"dotnet_ticks", 1, epoch<functions::Epoch::dotnet_ticks>},
    {"filetime", 1, epoch<functions::Epoch::filetime>},
    {"hex_text", 1, [](State&, const Arguments& a) { return functions::utf8_text(bytes_of(a[0])); }},
    {"hfs_s", 1, epoch<functions::Epoch::hfs_s>},
    {"inflated", 1, [](State&, const Arguments& a) { return functions::inflated(bytes_of(a[0])); }},
    {"json_get", 2,
     [](State& state, const Arguments& a) { return state.json.get(bytes_of(a[0]), bytes_of(a[1])); }},
    {"julian_day", 1, epoch<functions::Epoch::julian_day>},
    {"markup_text", 1, [](State&, const Arguments& a) { return functions::markup_text(bytes_of(a[0])); }},
    {"phone", 1,
     [](State& state, const Arguments& a) {
       return state.phones.normal_form(bytes_of(a[0]), state.country);
     }},
    {"phone", 2,
     [](State& state, const Arguments& a) {
       return state.phones.normal_form(bytes_of(a[0]), bytes_of(a[1]));
     }},
    {"plist", 2,
     [](State&, const Arguments& a) { return functions::plist_value(bytes_of(a[0]), bytes_of(a[1])); }},
    {"plist_json", 1, [](State&, const Arguments& a) { return functions::plist_json(bytes_of(a[0])); }},
    {"protobuf", 2,
     [](State&, const Arguments& a) {
       return functions::protobuf_field(bytes_of(a[0]), bytes_of(a[1]), "auto");
     }},
    {"protobuf", 3,
     [](State&, const Arguments& a) {
       return functions::protobuf_field(bytes_of(a[0]), bytes_of(a[1]), bytes_of(a[2]));
     }},
    {"protobuf_count", 2,
     [](State&, const Arguments& a) { return functions::protobuf_count(bytes_of(a[0]), bytes_of(a[1])); }},
    {"protobuf_json", 1, [](State&, const Arguments& a) { return functions::protobuf_json(bytes_of(a[0])); }},
    {"telegram_edited", 1,
     [](State&, const Arguments& a) {
       return Decoded::of(std::int64_t{functions::telegram_edited(bytes_of(a[0]))});
     }},
    {"telegram_file", 2,
     [](State&, const Arguments& a) { return file_field(bytes_of(a[0]), bytes_of(a[1])); }},
    {"telegram_latitude", 1,
     [](State&, const Arguments& a) {
       const auto place = functions::telegram_place(bytes_of(a[0]));
       return place ? Decoded::of(place->latitude) : Decoded{};
     }},
    {"telegram_longitude", 1,
     [](State&, const Arguments& a) {
       const auto place = functions::telegram_place(bytes_of(a[0]));
       return place ? Decoded::of(place->longitude) : Decoded{};
     }},
    {"telegram_phone", 1,
     [](State&, const Arguments& a) {
       const auto phone = functions::telegram_phone(bytes_of(a[0]));
       return phone ? Decoded::text(std::string(*phone)) : Decoded{};
     }},
    {"telegram_sender", 1,
     [](State&, const Arguments& a) {
       const auto sender = functions::telegram_sender(bytes_of(a[0]));
       return sender ? Decoded::of(*sender) : Decoded{};
     }},
    {"telegram_text", 2,
     [](State&, const Arguments& a) {
       const std::int64_t date = sqlite3_value_int64(a[1]);
       if (date <= 0 || date > INT32_MAX) return Decoded{};
       const auto text = functions::telegram_text(bytes_of(a[0]), static_cast<std::int32_t>(date));
       return text ? Decoded::text(std::string(*text)) : Decoded{};
     }},
    {"typedstream_text", 1,
     [](State&, const Arguments& a) { return functions::typedstream_text(bytes_of(a[0])); }},
    {"unix_ms", 1, epoch<functions::Epoch::unix_ms>},
    {"unix_ns", 1, epoch<functions::Epoch::unix_ns>},
    {"unix_s", 1, epoch<functions::Epoch::unix_s>},
    {"unix_us", 1, epoch<functions::Epoch::unix_us>},
    {"utf16", 1, [](State&, const Arguments& a) { return functions::utf16_text(bytes_of(a[0])); }},
    {"webkit_us", 1, epoch<functions::Epoch::webkit_us>},
};

/// What a registered function needs: freed by SQLite with the connection.
struct Bound {
  std::shared_ptr<State> state;
  Function run;
};

void give(sqlite3_context* context, const Decoded& value) {
  switch (value.kind) {
    case Decoded::Kind::null:
      return sqlite3_result_null(context);
    case Decoded::Kind::integer:
      return sqlite3_result_int64(context, value.integer);
    case Decoded::Kind::real:
      return sqlite3_result_double(context, value.real);
    case Decoded::Kind::text:
      return sqlite3_result_text64(context, value.bytes.data(), value.bytes.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    case Decoded::Kind::blob:
      return sqlite3_result_blob64(context, value.bytes.data(), value.bytes.size(), SQLITE_TRANSIENT);
  }
}

void call(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto* bound = static_cast<const Bound*>(sqlite3_user_data(context));
  try {
    const Arguments arguments(values, values + count);
    for (sqlite3_value* value : arguments) {
      if (sqlite3_value_type(value) == SQLITE_NULL || bytes_of(value).size() > functions::kMaxInput)
        return sqlite3_result_null(context);
    }
    give(context, bound->run(*bound->state, arguments));
  } catch (...) {  // of memory alone: nothing else throws
    sqlite3_result_error_nomem(context);
  }
}

}  // namespace

Status register_sql_functions(sqlite3* db, const std::string& country) {
  const auto state = std::make_shared<State>();
  state->country = country;
  for (const Entry& entry : kFunctions) {
    auto* bound = new Bound{state, entry.run};  // SQLite frees it, also where it refuses
    const int rc =
        sqlite3_create_function_v2(db, std::string(entry.name).c_str(), entry.arguments,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, bound, call,
                                   nullptr, nullptr, [](void* self) { delete static_cast<Bound*>(self); });
    if (rc != SQLITE_OK)
      return Error{ErrorCode::unsupported,
                   "SQLite refuses the function " + std::string(entry.name) + ": " + sqlite3_errstr(rc)};
  }
  return {};
}

const std::vector<std::string_view>& sql_function_names() {
  static const std::vector<std::string_view> listed = [] {
    std::vector<std::string_view> names;
    for (const Entry& entry : kFunctions)
      if (names.empty() || names.back() != entry.name) names.push_back(entry.name);
    return names;
  }();
  return listed;
}

bool is_sql_function(std::string_view name) {
  const auto& names = sql_function_names();
  return std::binary_search(names.begin(), names.end(), name);
}

}  // namespace touchstone
