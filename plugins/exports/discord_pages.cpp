#include "discord_pages.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace touchstone::exports {
namespace {

using nlohmann::json;

/// A page has at most 100 messages of 4,000 characters, with what is embedded in them.
constexpr std::uint64_t kMaxPage = 16U << 20U;
constexpr int kMaxDepth = 64;

std::string text_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// "2023-04-24T20:23:11.853000+00:00": always UTC.
std::optional<std::int64_t> time_of(const std::string& text) {
  int year = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0, day = 0;
  if (!text.ends_with("+00:00") ||
      std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 2015 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::int64_t fraction = 0, unit = 100'000;
  if (text.size() > 20 && text[19] == '.') {
    for (std::size_t at = 20; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      fraction += (text[at] - '0') * unit;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return (static_cast<std::int64_t>(days) * 86'400 + hour * 3600 + minute * 60 + second) * 1'000'000 +
         fraction;
}

void emit_attachments(Job& job, const json& message, const std::string& id, const std::string& key) {
  const auto list = message.find("attachments");
  if (list == message.end() || !list->is_array()) return;
  int ordinal = 0;
  for (const json& each : *list) {
    if (!each.is_object()) continue;
    const std::string name = text_of(each, "filename"), url = text_of(each, "url"),
                      type = text_of(each, "content_type");
    const std::string row = id + "/" + std::to_string(ordinal);
    std::vector<Field> fields = {
        {"name", Cell(name)}, {"path", Cell(url)}, {"message_key", Cell(key)}, {"ordinal", Cell(ordinal)}};
    if (!type.empty()) fields.push_back({"media_type", Cell(type)});
    job.emit_record("attachment", "discord", "cached", row, fields);
    ++ordinal;
  }
}

void emit_message(Job& job, const json& message) {
  const auto author = message.find("author");
  const std::string id = text_of(message, "id"), channel = text_of(message, "channel_id");
  if (id.empty() || channel.empty() || author == message.end() || !author->is_object()) return;
  const std::string sender = text_of(*author, "id"), name = text_of(*author, "username"),
                    body = text_of(message, "content"), recipients = json::array({channel}).dump();
  const std::string edited = text_of(message, "edited_timestamp");
  const auto type = message.find("type");
  const bool is_system = type != message.end() && type->is_number_integer() && *type != 0 && *type != 19;
  const std::string status = is_system        ? "system: type " + type->dump()
                             : edited.empty() ? "cached"
                                              : "cached; edited " + edited;
  std::vector<Field> fields = {
      {"conversation", Cell(channel)},          {"direction", Cell("unknown")}, {"sender", Cell(sender)},
      {"recipients", Cell(recipients)},         {"status", Cell(status)},       {"deleted", Cell(0)},
      {"edited", Cell(edited.empty() ? 0 : 1)}, {"recovered", Cell(0)}};
  if (!body.empty()) fields.push_back({"body", Cell(body)});
  if (const auto sent = time_of(text_of(message, "timestamp"))) fields.push_back({"sent", Cell(*sent)});
  const std::string key = job.emit_record("message", "discord", "cached", id, fields);
  emit_attachments(job, message, id, key);
  if (sender.empty() || name.empty()) return;
  json identifiers = json::array();
  identifiers.push_back({{"kind", "discord"}, {"value", sender}});
  const std::string listed = identifiers.dump();
  const std::vector<Field> contact = {{"name", Cell(name)}, {"identifiers", Cell(listed)}};
  job.emit_record("contact", "discord", "cached", id, contact);
}

}  // namespace

bool is_discord_page(std::string_view head) {
  const std::size_t start = head.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && head[start] == '[' &&
         head.find("\"channel_id\"") != std::string_view::npos &&
         head.find("\"author\"") != std::string_view::npos;
}

void read_discord_page(Job& job) {
  if (job.size() > kMaxPage)
    return job.emit_problem("limit", "a cached page of messages is longer than 16 MiB and was not read");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(job.size()));
  const std::int64_t got = job.read_at(0, bytes);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  bool too_deep = false;
  const auto page = json::parse(
      bytes,
      [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kMaxDepth;
        return !too_deep;
      },
      false);
  if (!page.is_array()) {
    job.emit_problem("corrupt", "a cached page of messages is no JSON and was not read");
    return;
  }
  for (const json& message : page)
    if (message.is_object()) emit_message(job, message);
}

}  // namespace touchstone::exports
