#include "telegram_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

namespace touchstone::exports {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxNames = 100'000;
/// Longer text is cut; the program itself allows 4,096 characters.
constexpr std::size_t kMaxBody = 1U << 20U;

std::string text_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_unsigned()) return std::to_string(found->get<std::uint64_t>());
  if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
  return {};
}

std::optional<double> number_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

/// Formatted text is a list of pieces: bare texts, and objects with a type and a text.
std::string body_of(const json& message) {
  const auto found = message.find("text");
  if (found == message.end()) return {};
  std::string body;
  if (found->is_array()) {
    for (const json& piece : *found)
      body += piece.is_string() ? piece.get<std::string>() : piece.is_object() ? text_of(piece, "text") : "";
  } else if (found->is_string()) {
    body = found->get<std::string>();
  }
  if (body.size() > kMaxBody) {
    std::size_t end = kMaxBody;
    while (end > 0 && (static_cast<unsigned char>(body[end]) & 0xc0U) == 0x80U) --end;
    body.resize(end);
  }
  return body;
}

/// "user123" since 2021, a bare number before.
std::string person_of(const json& object, std::string_view key) {
  std::string id = text_of(object, key);
  if (!id.empty() && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; }))
    id.insert(0, "user");
  return id == "user0" ? "" : id;
}

std::string full_name(const json& person) {
  std::string name = text_of(person, "first_name");
  if (const std::string last = text_of(person, "last_name"); !last.empty())
    name += (name.empty() ? "" : " ") + last;
  return name;
}

/// As international numbers are written; the program puts spaces in them.
std::string phone_of(const json& person) {
  std::string phone = text_of(person, "phone_number");
  std::erase_if(phone, [](char c) { return c == ' ' || c == '-' || c == '(' || c == ')'; });
  return phone;
}

/// "2016-11-09T00:26:24" as microseconds since 1970 of that clock.
std::optional<std::int64_t> clock_time(const std::string& text) {
  int year = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1971 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return (static_cast<std::int64_t>(days) * 86'400 + hour * 3600 + minute * 60 + second) * 1'000'000;
}

std::optional<std::int64_t> unix_time(const std::string& text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 31'536'000 ||
      seconds > 7'258'118'400)
    return std::nullopt;
  return seconds * 1'000'000;
}

bool is_edited(const json& message) {
  // Exports before 2021 write 1970 for "never".
  return unix_time(text_of(message, "edited_unixtime")) || clock_time(text_of(message, "edited"));
}

json identifiers_of(const std::string& id, const std::string& phone) {
  json list = json::array();
  if (!id.empty()) list.push_back({{"kind", "telegram"}, {"value", id}});
  if (!phone.empty()) list.push_back({{"kind", "phone"}, {"value", phone}});
  return list;
}

/// What the program itself says: "create_group: My Group; members: A, B".
std::string told_by_app(const json& message) {
  std::string told = text_of(message, "action");
  if (told.empty()) told = text_of(message, "type");
  if (const std::string title = text_of(message, "title"); !title.empty()) told += ": " + title;
  if (const std::string actor = text_of(message, "actor"); !actor.empty()) told += "; by " + actor;
  const auto members = message.find("members");
  if (members == message.end() || !members->is_array()) return told;
  std::string list;
  for (const json& member : *members)
    if (member.is_string()) list += (list.empty() ? "" : ", ") + member.get<std::string>();
  return list.empty() ? told : told + "; members: " + list;
}

/// How a message came about, for its status.
std::string status_of(const json& message, bool is_service) {
  std::string status = is_service ? "system: " + told_by_app(message) : std::string();
  const auto add = [&](std::string_view word, const std::string& what) {
    if (!what.empty()) status += fmt::format("{}{}{}", status.empty() ? "" : "; ", word, what);
  };
  if (is_edited(message)) add("edited ", text_of(message, "edited"));
  add("forwarded from ", text_of(message, "forwarded_from"));
  add("saved from ", text_of(message, "saved_from"));
  add("answers message ", text_of(message, "reply_to_message_id"));
  add("by the bot ", text_of(message, "via_bot"));
  if (const auto card = message.find("contact_information"); card != message.end() && card->is_object())
    add("contact: ", fmt::format("{} {}", full_name(*card), phone_of(*card)));
  return status;
}

}  // namespace

struct TelegramRecords::Fields {
  std::deque<std::string> kept;
  std::vector<Field> list;
  void text(std::string_view name, std::string value) {
    if (!value.empty()) list.push_back({name, Cell(std::string_view(kept.emplace_back(std::move(value))))});
  }
  void add(std::string_view name, const Cell& cell) { list.push_back({name, cell}); }
};

void TelegramRecords::chat_has(const std::string& key, const json& value) {
  const json object = {{key, value}};
  if (key == "id") chat_.id = text_of(object, key);
  if (key == "type") chat_.type = text_of(object, key);
  if (key == "name") chat_.name = text_of(object, key);
}

std::string TelegramRecords::conversation() const {
  if (chat_.is_own()) return "saved messages";
  if (chat_.id.empty()) return chat_.name;
  return (chat_.is_with_one() ? "user" : "chat") + chat_.id;
}

void TelegramRecords::note_name(const std::string& id, const std::string& name) {
  if (id.empty() || name.empty() || named_.size() >= kMaxNames || !named_.insert(id).second) return;
  Fields fields;
  fields.text("name", name);
  fields.text("identifiers", identifiers_of(id, {}).dump());
  job_->emit_record("contact", "telegram", "names", id, fields.list);
}

void TelegramRecords::owner(const json& person) {
  owner_ = person_of(person, "user_id");
  Fields fields;
  const std::string phone = phone_of(person), user = text_of(person, "username");
  fields.text("name", full_name(person));
  for (const auto& [part, identifier] :
       {std::pair<const char*, std::string>{"id", owner_}, {"phone", phone}, {"username", user}}) {
    if (identifier.empty()) continue;
    Fields one = fields;
    one.list.clear();
    one.text("name", full_name(person));
    one.text("identifier", identifier);
    job_->emit_record("account", "telegram", "personal_information", part, one.list);
  }
}

void TelegramRecords::contact(const json& person) {
  Fields fields;
  const json identifiers = identifiers_of(person_of(person, "user_id"), phone_of(person));
  fields.text("name", full_name(person));
  fields.text("identifiers", identifiers.dump(-1, ' ', false, json::error_handler_t::replace));
  job_->emit_record("contact", "telegram", "contacts", std::to_string(++contacts_), fields.list);
}

/// In the export of one chat the owner is not named: with one other person it is whoever is not that person.
std::string TelegramRecords::direction_of(const std::string& sender) const {
  if (sender.empty()) return "unknown";
  if (!owner_.empty()) return sender == owner_ ? "out" : "in";
  if (chat_.is_own()) return "out";
  if (chat_.is_with_one() && sender == "user" + chat_.id) return "in";
  return "unknown";
}

void TelegramRecords::add_times(Fields& fields, const json& message, std::string_view column) {
  if (const auto time = unix_time(text_of(message, "date_unixtime"))) {
    fields.add(column, Cell(*time));
    fields.add("time_basis", Cell("utc"));
  } else if (const auto clock = clock_time(text_of(message, "date"))) {
    // The host makes it a time of the exhibit's zone, and marks it as assumed.
    const std::string_view name = fields.kept.emplace_back(std::string(column) + "_local");
    fields.add(name, Cell(*clock));
  } else {
    ++without_time_;
  }
}

void TelegramRecords::message(const json& message) {
  const std::string type = text_of(message, "type");
  const bool is_service = type == "service";
  if (!is_service && type != "message") {
    ++others_;
    return;
  }
  const std::string row = fmt::format("{}/{}", chat_.id, text_of(message, "id"));
  const std::string_view who = is_service ? "actor" : "from";
  const std::string sender = person_of(message, is_service ? "actor_id" : "from_id");
  note_name(sender, text_of(message, who));
  if (is_service && text_of(message, "action") == "phone_call") return call(message, row);
  Fields fields;
  const std::string direction = is_service ? "unknown" : direction_of(sender);
  fields.text("account", owner_);
  fields.text("conversation", conversation());
  add_times(fields, message, "sent");
  fields.text("direction", direction);
  fields.text("sender", sender.empty() ? text_of(message, who) : sender);
  const bool to_chat = direction == "out" || !chat_.is_with_one();
  if (!chat_.is_own() && to_chat) fields.text("recipients", json::array({conversation()}).dump());
  fields.text("body", body_of(message));
  fields.text("status", status_of(message, is_service));
  fields.add("deleted", Cell(0));
  fields.add("edited", Cell(is_edited(message) ? 1 : 0));
  fields.add("recovered", Cell(0));
  const std::string key = job_->emit_record("message", "telegram", "messages", row, fields.list);
  attachment(message, row, key);
  location(message, row);
}

void TelegramRecords::call(const json& message, const std::string& row) {
  Fields fields;
  fields.text("account", owner_);
  add_times(fields, message, "started");
  if (const auto seconds = number_of(message, "duration_seconds"); seconds && *seconds >= 0 && *seconds < 1e9)
    fields.add("duration_s", Cell(static_cast<std::int64_t>(*seconds)));
  fields.text("direction", direction_of(person_of(message, "actor_id")));
  fields.text("party", conversation());
  const std::string reason = text_of(message, "discard_reason");
  fields.text("status", reason.empty() ? "voice" : "voice, " + reason);
  fields.add("deleted", Cell(0));
  job_->emit_record("call", "telegram", "messages", row, fields.list);
}

void TelegramRecords::attachment(const json& message, const std::string& row, const std::string& key) {
  std::string path = text_of(message, "file");
  const bool is_photo = path.empty();
  if (is_photo) path = text_of(message, "photo");
  if (path.empty()) return;
  Fields fields;
  // "(File not included. Change data exporting settings to download.)"
  const bool is_there = !path.starts_with('(');
  std::string name = text_of(message, "file_name");
  if (name.empty() && is_there) name = path.substr(path.rfind('/') + 1);
  fields.text("name", name.empty() ? (is_photo ? "photo" : text_of(message, "media_type")) : name);
  if (is_there) fields.text("path", path);
  fields.text("media_type", is_photo ? "image/jpeg" : text_of(message, "mime_type"));
  fields.text("message_key", key);
  fields.add("ordinal", Cell(0));
  job_->emit_record("attachment", "telegram", "messages", row, fields.list);
}

void TelegramRecords::location(const json& message, const std::string& row) {
  const auto found = message.find("location_information");
  if (found == message.end() || !found->is_object()) return;
  const auto latitude = number_of(*found, "latitude"), longitude = number_of(*found, "longitude");
  if (!latitude || !longitude) return;
  Fields fields;
  add_times(fields, message, "taken");
  fields.add("latitude", Cell(*latitude));
  fields.add("longitude", Cell(*longitude));
  const std::string direction = direction_of(person_of(message, "from_id"));
  fields.text("source", direction == "out"  ? "Telegram message sent"
                        : direction == "in" ? "Telegram message received"
                                            : "Telegram message");
  job_->emit_record("location", "telegram", "messages", row, fields.list);
}

void TelegramRecords::tell() {
  if (others_ > 0)
    job_->emit_problem("unsupported",
                       fmt::format("{} entries of chats are neither messages nor of the program "
                                   "itself and were not read",
                                   others_));
  if (without_time_ > 0)
    job_->emit_problem("corrupt", fmt::format("{} entries of chats have no readable time", without_time_));
}

}  // namespace touchstone::exports
