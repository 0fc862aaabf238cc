// The report of tests/unit/backups, written by hand after the form of real ones: what it says is what must
// come out. Its texts, people and numbers are made up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

std::string report() {
  return touchstone::test::contents_of(TOUCHSTONE_SOURCE_DIR "/tests/unit/backups/report.xml");
}

Outcome examine(const std::string& xml, std::size_t piece = 256 * 1024) {
  static const auto host = PluginHost::load("ufdr");
  TestItem item;
  item.bytes = xml;
  item.media_type = "text/xml";
  item.path = "/report.xml";
  item.piece = piece;
  return host->examine(item);
}

std::string text(const Record& record, std::string_view column) {
  const Value* value = record.find(column);
  const auto* found = value ? std::get_if<std::string>(value) : nullptr;
  return found ? *found : std::string("(none)");
}

std::int64_t number(const Record& record, std::string_view column) {
  const Value* value = record.find(column);
  const auto* found = value ? std::get_if<std::int64_t>(value) : nullptr;
  return found ? *found : -1;
}

std::vector<Record> of_kind(const Outcome& outcome, std::string_view kind) {
  std::vector<Record> found;
  for (const Record& record : outcome.records)
    if (record.kind == kind) found.push_back(record);
  return found;
}

TEST(Ufdr, MessagesOfAChatHaveTheirParties) {
  const Outcome outcome = examine(report());
  ASSERT_EQ(outcome.status, TS_OK) << outcome.reason;
  const auto messages = of_kind(outcome, "message");
  ASSERT_EQ(messages.size(), 5U);
  const Record& first = messages[0];
  EXPECT_EQ(text(first, "app"), "ufdr:WhatsApp");
  EXPECT_EQ(text(first, "body"), "Meet me by the harbour & bring <nothing>");
  EXPECT_EQ(text(first, "direction"), "in");
  EXPECT_EQ(text(first, "sender"), "447700900201@s.whatsapp.net");
  EXPECT_EQ(text(first, "recipients"), R"(["447700900200@s.whatsapp.net"])");
  EXPECT_EQ(text(first, "conversation"), "447700900201@s.whatsapp.net");
  EXPECT_EQ(text(first, "account"), "447700900200@s.whatsapp.net");
  EXPECT_EQ(text(first, "status"), "Read, as parsed by Cellebrite");
  EXPECT_EQ(number(first, "sent"), 1714766400'250000);  // 2024-05-03T20:00:00.250Z
  EXPECT_EQ(text(first, "time_basis"), "offset");
  EXPECT_EQ(number(first, "deleted"), 0);
  EXPECT_EQ(text(first, "source_table"), "InstantMessage");
  EXPECT_EQ(text(first, "source_row"), "a0000000-0000-4000-8000-000000000001");
  const Record& second = messages[1];
  EXPECT_EQ(text(second, "direction"), "out");
  EXPECT_EQ(text(second, "recipients"), R"(["447700900201@s.whatsapp.net"])");
  EXPECT_EQ(number(second, "deleted"), 1);
  EXPECT_EQ(number(second, "sent"), 1714766700'000000);
  EXPECT_EQ(text(second, "time_basis"), "utc");
}

TEST(Ufdr, AttachmentsNameTheFileInTheArchive) {
  const Outcome outcome = examine(report());
  const auto attachments = of_kind(outcome, "attachment");
  ASSERT_EQ(attachments.size(), 1U);
  EXPECT_EQ(text(attachments[0], "name"), "IMG-20240503-WA0001.jpg");
  EXPECT_EQ(text(attachments[0], "path"), "files/Image/harbour.jpg");
  EXPECT_EQ(text(attachments[0], "media_type"), "image/jpeg");
  EXPECT_EQ(text(attachments[0], "message_key"), of_kind(outcome, "message")[1].key);
  // The same by the id of the file alone.
  std::string xml = report();
  const std::string field = "attachment_extracted_path";
  xml.replace(xml.find(field), field.size(), "something_else");
  EXPECT_EQ(text(of_kind(examine(xml), "attachment").at(0), "path"), "files/Image/harbour.jpg");
}

TEST(Ufdr, TextMessagesHaveTheirDirectionFromFolderAndRole) {
  const auto messages = of_kind(examine(report()), "message");
  const Record &sent = messages.at(2), &received = messages.at(3);
  EXPECT_EQ(text(sent, "app"), "ufdr:SMS");
  EXPECT_EQ(text(sent, "direction"), "out");
  EXPECT_EQ(text(sent, "recipients"), R"(["+447700900202"])");
  EXPECT_EQ(text(sent, "conversation"), "+447700900202");
  EXPECT_EQ(text(sent, "status"), "Sent, Sent, as parsed by Cellebrite");
  // No zone is given: the host makes it a time of the exhibit's zone.
  EXPECT_EQ(number(sent, "sent"), -1);
  EXPECT_EQ(number(sent, "sent_local"), 1714771800'000000);
  EXPECT_EQ(text(received, "direction"), "in");
  EXPECT_EQ(text(received, "sender"), "+447700900202");
  EXPECT_FALSE(received.find("deleted")) << "unknown is not \"no\"";
  EXPECT_FALSE(received.find("sent"));
}

TEST(Ufdr, CallsContactsAndTheRest) {
  const Outcome outcome = examine(report());
  const auto calls = of_kind(outcome, "call");
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(text(calls[0], "direction"), "in");
  EXPECT_EQ(text(calls[0], "party"), "+447700900203");
  EXPECT_EQ(text(calls[0], "status"), "Missed, as parsed by Cellebrite");
  EXPECT_EQ(number(calls[0], "duration_s"), 3723);
  EXPECT_EQ(number(calls[0], "started"), 1714770000'000000);
  EXPECT_EQ(text(calls[0], "app"), "ufdr");

  const auto contacts = of_kind(outcome, "contact");
  ASSERT_EQ(contacts.size(), 1U);
  EXPECT_EQ(text(contacts[0], "name"), "Robin Example");
  const auto identifiers = nlohmann::json::parse(text(contacts[0], "identifiers"));
  ASSERT_EQ(identifiers.size(), 3U);
  EXPECT_EQ(identifiers[0], (nlohmann::json{{"kind", "phone"}, {"value", "+447700900201"}}));
  EXPECT_EQ(identifiers[1].at("kind"), "email");

  const auto mail = of_kind(outcome, "message").at(4);
  EXPECT_EQ(text(mail, "app"), "ufdr:Gmail");
  EXPECT_EQ(text(mail, "body"), "Tickets\nTwo for Friday.");
  EXPECT_EQ(text(mail, "direction"), "in");
  EXPECT_EQ(text(mail, "recipients"), R"(["owner@example.com"])");

  EXPECT_EQ(text(of_kind(outcome, "account").at(0), "identifier"), "447700900200");
  const auto location = of_kind(outcome, "location").at(0);
  EXPECT_DOUBLE_EQ(std::get<double>(*location.find("latitude")), 50.905);
  EXPECT_DOUBLE_EQ(std::get<double>(*location.find("longitude")), -1.404);
  EXPECT_EQ(text(location, "source"), "Maps, as parsed by Cellebrite");
  const auto visits = of_kind(outcome, "visit");
  ASSERT_EQ(visits.size(), 2U);
  EXPECT_EQ(text(visits[0], "url"), "https://harbour.example.com/");
  EXPECT_EQ(text(visits[1], "kind"), "search");
  EXPECT_EQ(text(visits[1], "title"), "harbour opening hours");
}

TEST(Ufdr, WhatIsNoRecordIsCounted) {
  const Outcome outcome = examine(report());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unsupported");
  EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr("InstalledApplication (1)"));
}

TEST(Ufdr, TheSizeOfPiecesDoesNotMatter) {
  const Outcome whole = examine(report());
  for (const std::size_t piece : {1U, 7U, 100U}) {
    const Outcome pieces = examine(report(), piece);
    ASSERT_EQ(pieces.records.size(), whole.records.size()) << piece;
    for (std::size_t i = 0; i < whole.records.size(); ++i) {
      EXPECT_EQ(pieces.records[i].key, whole.records[i].key);
      EXPECT_EQ(pieces.records[i].fields, whole.records[i].fields);
    }
  }
}

TEST(Ufdr, ADamagedReportGivesWhatStandsBeforeTheDamage) {
  std::string xml = report();
  xml.resize(xml.find("a0000000-0000-4000-8000-000000000002"));
  const Outcome outcome = examine(xml);
  EXPECT_EQ(of_kind(outcome, "contact").size(), 1U);
  ASSERT_FALSE(outcome.problems.empty());
  EXPECT_EQ(outcome.problems[0].kind, "corrupt");
}

TEST(Ufdr, EntitiesAreNotExpanded) {
  std::string xml = report();
  const std::string start = R"(<?xml version="1.0" encoding="utf-8"?>)";
  xml.replace(0, start.size(),
              start + R"(<!DOCTYPE project [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>)");
  const Outcome outcome = examine(xml);
  EXPECT_TRUE(outcome.records.empty());
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr("entities"));
}

TEST(Ufdr, DepthIsBounded) {
  std::string xml =
      R"(<project xmlns="http://pa.cellebrite.com/report/2.0"><decodedData><modelType type="Chat">)";
  for (int i = 0; i < 5000; ++i) xml += R"(<model type="Chat"><modelField name="x">)";
  const Outcome outcome = examine(xml);
  ASSERT_FALSE(outcome.problems.empty());
  EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr("deeper than 64"));
}

TEST(Ufdr, LongChatsComeInParts) {
  std::string xml =
      R"(<project xmlns="http://pa.cellebrite.com/report/2.0"><decodedData><modelType type="Chat">)"
      R"(<model type="Chat" id="c"><field name="Source"><value>Example</value></field>)"
      R"(<multiModelField name="Messages" type="InstantMessage">)";
  const std::string body(100'000, 'x');
  constexpr std::size_t kMessages = 300;  // 30 MB
  for (std::size_t i = 0; i < kMessages; ++i)
    xml += "<model type=\"InstantMessage\" id=\"m" + std::to_string(i) + "\"><field name=\"Body\"><value>" +
           body + "</value></field></model>";
  xml += "</multiModelField></model></modelType></decodedData></project>";
  const Outcome outcome = examine(xml);
  EXPECT_TRUE(outcome.problems.empty());
  const auto messages = of_kind(outcome, "message");
  ASSERT_EQ(messages.size(), kMessages);
  EXPECT_EQ(text(messages[299], "app"), "ufdr:Example");
  EXPECT_EQ(text(messages[299], "source_row"), "m299");
}

TEST(Ufdr, OtherXmlOfThatNameIsLeftAlone) {
  const Outcome outcome = examine("<report><dfxml/></report>");
  EXPECT_TRUE(outcome.records.empty());
  EXPECT_TRUE(outcome.problems.empty());
}

}  // namespace
}  // namespace touchstone::test
