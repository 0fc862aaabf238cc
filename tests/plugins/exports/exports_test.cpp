// Chat exports written by hand in the layout of the programs that write them. All people are invented.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using ::testing::IsEmpty;

std::string field(const Record& record, std::string_view name) {
  const Value* value = record.find(name);
  if (!value) return "-";
  if (const auto* integer = std::get_if<std::int64_t>(value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(value)) return std::to_string(*real);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  return "NULL";
}

Outcome examine(const std::string& json, const std::string& path = "/Telegram/result.json") {
  const auto host = PluginHost::load("exports", "{}");
  if (!host) ADD_FAILURE() << "the plugin does not load";
  TestItem item;
  item.bytes = json;
  item.path = path;
  return host->examine(item);
}

std::map<std::string, Record> by_row(const Outcome& outcome, std::string_view kind) {
  std::map<std::string, Record> result;
  for (const Record& record : outcome.records)
    if (record.kind == kind) result.emplace(field(record, "source_row"), record);
  return result;
}

constexpr auto kAccount = R"({
 "about": "text",
 "personal_information": {"user_id": 501, "first_name": "Ada", "last_name": "Example",
   "phone_number": "+44 7700 900101", "username": "@ada_example", "bio": ""},
 "contacts": {"about": "", "list": [
   {"user_id": 0, "first_name": "Ben", "last_name": "Sample", "phone_number": "+44 7700 900102",
    "date": "2020-01-01T00:00:00"}]},
 "chats": {"about": "", "list": [
  {"name": "Ben", "type": "personal_chat", "id": 502, "messages": [
   {"id": 1, "type": "message", "date": "2023-11-14T23:13:20", "date_unixtime": "1700000000",
    "from": "Ada Example", "from_id": "user501",
    "text": ["see ", {"type": "link", "text": "https://example.com/"}, "!"]},
   {"id": 2, "type": "message", "date": "2023-11-14T23:13:21", "date_unixtime": "1700000001",
    "edited": "2023-11-14T23:15:00", "edited_unixtime": "1700000100",
    "from": "Ben", "from_id": "user502", "reply_to_message_id": 1,
    "photo": "photos/photo_1.jpg", "text": "look"},
   {"id": 3, "type": "service", "date": "2023-11-14T23:13:22", "date_unixtime": "1700000002",
    "actor": "Ben", "actor_id": "user502", "action": "phone_call", "duration_seconds": 63,
    "discard_reason": "hangup", "text": ""}]},
  {"name": "Club", "type": "private_group", "id": 77, "messages": [
   {"id": 9, "type": "service", "date": "2023-11-14T23:13:23", "date_unixtime": "1700000003",
    "actor": "Ben", "actor_id": "user502", "action": "create_group", "title": "Club",
    "members": ["Ada Example", "Ben"], "text": ""},
   {"id": 10, "type": "message", "date": "2019-05-06T07:08:09", "edited": "1970-01-01T05:00:00",
    "from": "Ben", "from_id": 502, "text": "old",
    "location_information": {"latitude": 51.5, "longitude": -0.125}}]}]}})";

TEST(TelegramDesktop, GivesMessagesWithTimesAndDirections) {
  const Outcome outcome = examine(kAccount);
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 4U);
  const auto expect = [&](const std::string& row, const std::vector<std::string>& values) {
    const Record& record = messages.at(row);
    std::vector<std::string> got;
    for (const char* name :
         {"account", "conversation", "sent", "direction", "sender", "recipients", "body", "status", "edited"})
      got.push_back(field(record, name));
    EXPECT_EQ(got, values) << row;
  };
  expect("502/1", {"user501", "user502", "1700000000000000", "out", "user501", "[\"user502\"]",
                   "see https://example.com/!", "-", "0"});
  expect("502/2", {"user501", "user502", "1700000001000000", "in", "user502", "-", "look",
                   "edited 2023-11-14T23:15:00; answers message 1", "1"});
  expect("77/9", {"user501", "chat77", "1700000003000000", "unknown", "user502", "[\"chat77\"]", "-",
                  "system: create_group: Club; by Ben; members: Ada Example, Ben", "0"});
  // Before 2021 there is only the clock's time, and senders are bare numbers.
  EXPECT_EQ(field(messages.at("77/10"), "sender"), "user502");
  EXPECT_EQ(field(messages.at("77/10"), "direction"), "in");
  EXPECT_EQ(field(messages.at("77/10"), "edited"), "0");
  EXPECT_EQ(field(messages.at("77/10"), "sent_local"), "1557126489000000");
}

TEST(TelegramDesktop, GivesCallsAttachmentsPlacesContactsAndTheOwner) {
  const Outcome outcome = examine(kAccount);
  const auto calls = by_row(outcome, "call");
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(field(calls.at("502/3"), "started"), "1700000002000000");
  EXPECT_EQ(field(calls.at("502/3"), "duration_s"), "63");
  EXPECT_EQ(field(calls.at("502/3"), "direction"), "in");
  EXPECT_EQ(field(calls.at("502/3"), "party"), "user502");
  const auto attachments = by_row(outcome, "attachment");
  ASSERT_EQ(attachments.size(), 1U);
  EXPECT_EQ(field(attachments.at("502/2"), "path"), "photos/photo_1.jpg");
  EXPECT_EQ(field(attachments.at("502/2"), "message_key"), by_row(outcome, "message").at("502/2").key);
  const auto places = by_row(outcome, "location");
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(field(places.at("77/10"), "latitude"), "51.500000");
  const auto accounts = by_row(outcome, "account");
  EXPECT_EQ(field(accounts.at("id"), "identifier"), "user501");
  EXPECT_EQ(field(accounts.at("phone"), "identifier"), "+447700900101");
  EXPECT_EQ(field(accounts.at("phone"), "name"), "Ada Example");
  const auto contacts = by_row(outcome, "contact");
  EXPECT_EQ(field(contacts.at("1"), "identifiers"), R"([{"kind":"phone","value":"+447700900102"}])");
  EXPECT_EQ(field(contacts.at("user502"), "name"), "Ben");
}

TEST(TelegramDesktop, OfOneChatKnowsOnlyWhatTheOtherSideSent) {
  const Outcome outcome = examine(R"({"name": "Ben", "type": "personal_chat", "id": 502, "messages": [
   {"id": 1, "type": "message", "date_unixtime": "1700000000", "from_id": "user501", "text": "a"},
   {"id": 2, "type": "message", "date_unixtime": "1700000001", "from_id": "user502", "text": "b"}]})");
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(field(messages.at("502/1"), "direction"), "unknown");
  EXPECT_EQ(field(messages.at("502/2"), "direction"), "in");
}

TEST(TelegramDesktop, CutShortIsReadUpToThereAndSaysSo) {
  const std::string whole = kAccount;
  const Outcome outcome = examine(whole.substr(0, whole.find("\"id\": 3, \"type\"")));
  EXPECT_EQ(by_row(outcome, "message").size(), 2U);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "corrupt");
}

TEST(TelegramDesktop, NestedWithoutEndIsRefused) {
  std::string json = R"({"name": "Ben", "type": "personal_chat", "id": 5, "messages": [{"id": )";
  json += std::string(100'000, '[');
  const Outcome outcome = examine(json);
  EXPECT_THAT(outcome.records, IsEmpty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "limit");
}

TEST(DiscordCache, GivesThePagesOfMessages) {
  const std::string page = R"([{"id": "11", "type": 0, "content": "Hello", "channel_id": "22",
    "author": {"id": "33", "username": "ada"}, "timestamp": "2023-11-14T22:13:20.853000+00:00",
    "attachments": [{"filename": "a.png", "url": "https://example.com/a.png", "content_type": "image/png"}],
    "edited_timestamp": null}, 5, {"id": "12"}])";
  const Outcome outcome = examine(page, "/A/Library/Caches/com.hammerandchisel.discord/fsCachedData/0F1E");
  EXPECT_THAT(outcome.problems, IsEmpty());
  const auto messages = by_row(outcome, "message");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(field(messages.at("11"), "body"), "Hello");
  EXPECT_EQ(field(messages.at("11"), "sent"), "1700000000853000");
  EXPECT_EQ(field(messages.at("11"), "sender"), "33");
  EXPECT_EQ(field(messages.at("11"), "conversation"), "22");
  EXPECT_EQ(field(by_row(outcome, "attachment").at("11/0"), "name"), "a.png");
  EXPECT_THAT(examine(page, "/elsewhere/0F1E").records, IsEmpty());
}

TEST(TelegramDesktop, IsNotFoundInOtherFilesOfThatName) {
  for (const char* json : {"{}", "", "[1,2]", R"({"messages": [], "type": "report"})"}) {
    const Outcome outcome = examine(json);
    EXPECT_THAT(outcome.records, IsEmpty()) << json;
    EXPECT_THAT(outcome.problems, IsEmpty()) << json;
  }
}

}  // namespace
}  // namespace touchstone::test
