#include "ranking/ranking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <sstream>

namespace touchstone {
namespace {

std::string numbered(const char* word, std::int64_t number) {
  std::string out = word;
  return out.append(std::to_string(number));
}

Database empty_case() {
  Database db(":memory:", Database::Mode::create);
  std::ifstream file(std::string(TOUCHSTONE_SOURCE_DIR) + "/lib/casefile/schema.sql");
  std::stringstream sql;
  sql << file.rdbuf();
  db.execute(sql.str());
  db.execute(
      "INSERT INTO exhibit(id, ref, role, path) VALUES(1, 'ABC/1', 'suspect', 'x'), (2, 'DEF/1', "
      "'complainant', 'y'), (3, 'GHI/1', 'unknown', 'z')");
  return db;
}

CaseFile case_file(const std::string& more = "") {
  auto file = parse_case_file(
      "schema = \"touchstone.case/1\"\nreference = \"X\"\ntime_zone = \"UTC\"\n" + more +
          "[[window]]\ntitle = \"night\"\nfrom = 2024-05-03T21:00:00\nto = 2024-05-04T06:00:00\n"
          "[[place]]\ntitle = \"flat\"\nlatitude = 50.905\nlongitude = -1.404\nradius_m = 150\n"
          "[[person]]\nid = \"S1\"\nrole = \"suspect\"\nphones = [\"+447700900123\"]\n"
          "[[person]]\nid = \"C1\"\nrole = \"complainant\"\nphones = [\"+447700900456\"]\n"
          "[[issue]]\nid = \"presence\"\n"
          "[[exhibit]]\nref = \"ABC/1\"\npath = \"x\"\nrole = \"suspect\"\nowner = \"S1\"\n"
          "[[exhibit]]\nref = \"DEF/1\"\npath = \"y\"\nrole = \"complainant\"\nowner = \"C1\"\n"
          "[exhibit.scope]\nauthority = \"a\"\napps = [\"sms\"]\n",
      "case.toml");
  EXPECT_TRUE(file) << file.error().message;
  return file.take();
}

RankingRules shipped() {
  auto rules = load_ranking_rules(std::string(TOUCHSTONE_SOURCE_DIR) + "/rules");
  EXPECT_TRUE(rules) << rules.error().message;
  return rules.take();
}

RankingRules rules_of(const std::string& text) {
  auto rules = parse_ranking_rules(
      "schema = \"touchstone.ranking/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\nnever_score = "
      "[\"known\"]\n" +
          text,
      "r.toml");
  EXPECT_TRUE(rules) << rules.error().message;
  return rules.take();
}

std::string rule(const std::string& id, const std::string& body, const std::string& when) {
  return "[[rule]]\nid = \"" + id + "\"\nwhy = \"w\"\n" + body + "\n[rule.when]\n" + when + "\n";
}

void add_item(const Database& db, int id, const std::string& locator, int exhibit, int content,
              bool allocated = true) {
  if (content) {
    db.execute("INSERT OR IGNORE INTO content(id, sha256, size) VALUES(" + std::to_string(content) +
               ", randomblob(32), 1)");
  }
  auto insert = db.prepare(
      "INSERT INTO item_row(id, locator, exhibit_id, content_id, path, name, kind, allocated, size, state) "
      "VALUES(?1, ?2, ?3, ?4, '', ?5, 'file', ?6, 1, 'examined')");
  insert.bind(1, id).bind(2, locator).bind(3, exhibit);
  content ? insert.bind(4, content) : insert.bind_null(4);
  insert.bind(5, locator.substr(locator.rfind('/') + 1)).bind(6, allocated ? 1 : 0).run();
}

void add_message(const Database& db, int id, int item, const std::string& direction,
                 const std::string& sender, const std::string& recipient, std::int64_t sent_s,
                 bool deleted = false, const std::string& conversation = "conv") {
  auto insert = db.prepare(
      "INSERT INTO message(id, key, item_id, app, conversation, sent, time_basis, direction, sender, "
      "recipients, deleted) "
      "VALUES(?1, ?2, ?3, 'sms', ?4, ?5, 'utc', ?6, ?7, ?8, ?9)");
  insert.bind(1, id)
      .bind(2, numbered("message|", id))
      .bind(3, item)
      .bind(4, conversation)
      .bind(5, sent_s * 1'000'000);
  insert.bind(6, direction)
      .bind(7, sender)
      .bind(8, nlohmann::json::array({recipient}).dump())
      .bind(9, deleted ? 1 : 0)
      .run();
}

void add_finding(const Database& db, const std::string& key, int content, const std::string& message,
                 const std::string& plugin, const std::string& name, const std::string& category,
                 int points = -1, int confidence = 1000) {
  auto insert = db.prepare(
      "INSERT INTO finding(key, content_id, record_kind, record_key, plugin, rule, category, confidence, "
      "title, detail) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  insert.bind(1, key);
  content ? insert.bind(2, content) : insert.bind_null(2);
  message.empty() ? insert.bind_null(3).bind_null(4) : insert.bind(3, "message").bind(4, message);
  insert.bind(5, plugin).bind(6, name).bind(7, category).bind(8, confidence).bind(9, "title of " + name);
  insert
      .bind(10, points < 0 ? std::string("no JSON")
                           : nlohmann::json({{"points", points}, {"match", "words"}}).dump())
      .run();
}

struct LeadRow {
  std::string key, kind, lane, band;
  int score = 0;
  nlohmann::json reasons;
  std::string title;
  int places = 0;
};

std::vector<LeadRow> leads(const Database& db) {
  std::vector<LeadRow> out;
  auto query =
      db.prepare("SELECT key, subject_kind, lane, band, score, reasons, title, places FROM lead ORDER BY id");
  while (query.step()) {
    out.push_back({query.text(0), query.text(1), query.text(2), query.text(3),
                   static_cast<int>(query.integer(4)), nlohmann::json::parse(query.text(5)), query.text(6),
                   static_cast<int>(query.integer(7))});
    int sum = 0;
    for (const auto& reason : out.back().reasons) sum += reason["points"].get<int>();
    EXPECT_EQ(sum, out.back().score) << "points must add up: " << out.back().key;
  }
  return out;
}

const LeadRow* lead_of(const std::vector<LeadRow>& all, const std::string& kind,
                       const std::string& lane = "towards") {
  for (const LeadRow& lead : all) {
    if (lead.kind == kind && lead.lane == lane) return &lead;
  }
  return nullptr;
}

constexpr std::int64_t kInWindow = 1714780800;  // 2024-05-04 00:00 UTC

TEST(Ranking, ContentIsShownOnceAtTheSmallestLocator) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/z.jpg;9", 1, 7);
  add_item(db, 2, "ABC/1:p0/a.jpg;8", 1, 7);
  add_finding(db, "f1", 7, "", "hashes", "list", "notable");
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key, "lead|towards|content|ABC/1:p0/a.jpg;8");
  EXPECT_EQ(all[0].places, 2);
  EXPECT_EQ(all[0].score, 700);
  EXPECT_EQ(all[0].band, "high");
  EXPECT_EQ(all[0].reasons[0]["finding"], "f1");
  EXPECT_EQ(db.prepare("SELECT 1 FROM lead WHERE item_id = 2 AND subject_id = 7").step(), true);
}

TEST(Ranking, KnownFilesNeverScore) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a", 1, 7);
  add_finding(db, "f1", 7, "", "hashes", "nsrl", "known");
  add_finding(db, "f2", 7, "", "explicit", "m", "explicit-picture");
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  EXPECT_TRUE(leads(db).empty());
}

TEST(Ranking, WordsScoreForWhatASuspectOrUnknownPartyWrote) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/sms.db", 1, 7);
  add_message(db, 1, 1, "out", "", "+447700900999", 0, false, "a");  // by the owner, S1
  add_message(db, 2, 1, "in", "07700 900456", "me", 0, false, "b");  // by C1
  add_message(db, 3, 1, "in", "07700 900888", "me", 0, false, "c");  // by somebody unknown
  for (int i = 1; i <= 3; ++i)
    add_finding(db, numbered("f", i), 0, numbered("message|", i), "keywords", "spike", "drugging", 300);
  ASSERT_TRUE(rank(db, &file, shipped()));
  std::map<std::string, int> scores;
  for (const LeadRow& lead : leads(db)) scores[lead.key] = lead.score;
  EXPECT_EQ(scores.count("lead|towards|message|message%7C1"), 1U);
  EXPECT_EQ(scores.count("lead|towards|message|message%7C2"), 0U) << "the complainant wrote it";
  EXPECT_EQ(scores.count("lead|towards|message|message%7C3"), 1U);
  EXPECT_EQ(scores["lead|towards|message|message%7C1"], 300);
  const CaseFile asked = case_file("[ranking]\ncomplainant_words = true\n");
  ASSERT_TRUE(rank(db, &asked, shipped()));
  scores.clear();
  for (const LeadRow& lead : leads(db)) scores[lead.key] = lead.score;
  EXPECT_EQ(scores.count("lead|towards|message|message%7C2"), 1U);
}

TEST(Ranking, WordsOnAComplainantsDeviceAreHersUnlessReceived) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "DEF/1:p0/sms.db", 2, 7);
  add_message(db, 1, 1, "out", "", "+447700900123", kInWindow);
  add_message(db, 2, 1, "in", "+447700900123", "", kInWindow);
  add_finding(db, "f1", 0, "message|1", "keywords", "t", "threatening", 200);
  add_finding(db, "f2", 0, "message|2", "keywords", "t", "threatening", 200);
  ASSERT_TRUE(rank(db, &file, shipped()));
  const auto all = leads(db);
  const LeadRow* message = lead_of(all, "message");
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->key, "lead|towards|message|message%7C2");
  EXPECT_EQ(message->score, 200 + 150 + 200) << "words, between the parties, in the window";
  EXPECT_EQ(message->reasons[0]["text"],
            "A message received from S1 (suspect) contains “words” (word list “threatening”).");
  EXPECT_EQ(message->reasons[1]["text"], "The message is between C1 (complainant) and S1 (suspect).");
}

TEST(Ranking, ContactBetweenThePartiesAloneMakesNoLeadInEitherLane) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/sms.db", 1, 7);
  add_message(db, 1, 1, "out", "", "+447700900456", kInWindow);
  add_message(db, 2, 1, "in", "+447700900456", "", kInWindow + 30 * 86400);
  db.execute(
      "INSERT INTO call(id, key, item_id, app, started, time_basis, direction, party) VALUES(1, 'c', 1, "
      "'phone', 1714780800000000, 'utc', 'out', '07700900456')");
  ASSERT_TRUE(rank(db, &file, shipped()));
  EXPECT_TRUE(leads(db).empty());
}

TEST(Ranking, DeletedMessageInTheWindowIsALead) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/sms.db", 1, 7);
  add_message(db, 1, 1, "out", "", "+447700900456", kInWindow, true);
  add_message(db, 2, 1, "out", "", "+447700900456", kInWindow - 86400 * 30, true);
  ASSERT_TRUE(rank(db, &file, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 2U) << "the message and its conversation";
  EXPECT_EQ(all[1].key, "lead|towards|message|message%7C1");
  EXPECT_EQ(all[1].score, 250 + 150 + 200 + 100);
}

TEST(Ranking, ScoresEndAtAThousandWithAReasonThatSaysSo) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a", 1, 7);
  add_finding(db, "f1", 7, "", "p", "a", "x");
  const auto rules = rules_of(rule("one", "points = 900\ntext = \"t\"", "plugin = \"p\"") +
                              rule("two", "points = 700\ntext = \"t\"", "category = \"x\""));
  ASSERT_TRUE(rank(db, nullptr, rules));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].score, 1000);
  EXPECT_EQ(all[0].band, "critical");
  EXPECT_EQ(all[0].reasons.back()["rule"], "cap");
  EXPECT_EQ(all[0].reasons.back()["points"], -600);
}

TEST(Ranking, ARuleCountsOnceATermAndEndsAtItsCap) {
  Database db = empty_case();
  add_item(db, 1, "GHI/1:p0/a.txt", 3, 7);
  add_finding(db, "f1", 7, "", "keywords", "t1", "planning", 200);
  add_finding(db, "f2", 7, "", "keywords", "t1", "planning", 200);
  add_finding(db, "f3", 7, "", "keywords", "t2", "planning", 150);
  add_finding(db, "f4", 7, "", "keywords", "t3", "planning", 0);
  const auto rules = rules_of(
      rule("words", "points_from = \"finding\"\ncap = 300\ntext = \"{match}\"", "plugin = \"keywords\""));
  ASSERT_TRUE(rank(db, nullptr, rules));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].score, 300);
  ASSERT_EQ(all[0].reasons.size(), 2U);
  EXPECT_EQ(all[0].reasons[0]["points"], 200);
  EXPECT_EQ(all[0].reasons[0]["finding"], "f1");
  EXPECT_EQ(all[0].reasons[1]["points"], 100);
}

TEST(Ranking, ConfidenceScalesPoints) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a.jpg", 1, 7);
  add_item(db, 2, "ABC/1:p0/b.jpg", 1, 8);
  add_item(db, 3, "DEF/1:p0/c.jpg", 2, 9);
  add_finding(db, "f1", 7, "", "explicit", "m", "explicit-picture", -1, 900);
  add_finding(db, "f2", 8, "", "explicit", "m", "explicit-picture", -1, 699);
  add_finding(db, "f3", 9, "", "explicit", "m", "explicit-picture", -1, 999);
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U)
      << "one is below the rule's confidence, one lies on the complainant's device only";
  EXPECT_EQ(all[0].score, 270);
}

TEST(Ranking, ConversationGathersItsMessages) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/sms.db", 1, 7);
  db.execute("INSERT INTO conversation(id, key, app, title) VALUES(5, 'conv', 'sms', 'C1')");
  for (int i = 1; i <= 3; ++i) add_message(db, i, 1, "out", "", "+447700900999", 1000 * i);
  add_finding(db, "f1", 0, "message|1", "keywords", "t1", "planning", 100);
  add_finding(db, "f2", 0, "message|2", "keywords", "t1", "planning", 100);
  add_finding(db, "f3", 0, "message|3", "keywords", "t2", "planning", 120);
  ASSERT_TRUE(rank(db, &file, shipped()));
  const auto all = leads(db);
  const LeadRow* conversation = lead_of(all, "conversation");
  ASSERT_NE(conversation, nullptr);
  EXPECT_EQ(conversation->key, "lead|towards|conversation|conv");
  EXPECT_EQ(conversation->score, 220) << "each term once";
  EXPECT_EQ(conversation->title, "Conversation: C1");
  EXPECT_EQ(all.size(), 4U);
}

TEST(Ranking, AwayLaneNamesPositionsElsewhereOnlyForTheIssue) {
  CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/loc.db", 1, 7);
  db.execute(
      "INSERT INTO location(id, key, item_id, taken, time_basis, latitude, longitude, accuracy_m) VALUES"
      "(1, 'l1', 1, 1714780800000000, 'utc', 51.5, -0.12, 20), (2, 'l2', 1, 1714780800000000, 'utc', 50.905, "
      "-1.404, 20),"
      "(3, 'l3', 1, 1700000000000000, 'utc', 51.5, -0.12, 20)");
  ASSERT_TRUE(rank(db, &file, shipped()));
  auto all = leads(db);
  ASSERT_EQ(all.size(), 2U);
  const LeadRow* away = lead_of(all, "location", "away");
  ASSERT_NE(away, nullptr);
  EXPECT_EQ(away->key, "lead|away|location|l1");
  EXPECT_NE(away->reasons[0]["text"].get<std::string>().find("111.3 km from “flat”"), std::string::npos)
      << away->reasons[0]["text"];
  EXPECT_EQ(lead_of(all, "location")->key, "lead|towards|location|l2");
  file.issues.clear();
  ASSERT_TRUE(rank(db, &file, shipped()));
  EXPECT_EQ(lead_of(leads(db), "location", "away"), nullptr);
}

TEST(Ranking, WordsInNotesAndCalendarsScoreForWhoWroteThem) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/notes.db", 1, 7);
  add_item(db, 2, "DEF/1:p0/notes.db", 2, 8);
  db.execute(
      "INSERT INTO note(id, key, item_id, app, title, body, created, modified, time_basis, deleted) VALUES"
      "(1, 'n1', 1, 'ios_notes', 'List', 'rope', 1700000000000000, 1714780800000000, 'utc', 0),"
      "(2, 'n2', 2, 'ios_notes', 'List', 'rope', 1700000000000000, 1714780800000000, 'utc', 0)");
  db.execute(
      "INSERT INTO event(id, key, item_id, app, title, starts, time_basis, organiser, participants) VALUES"
      "(1, 'e1', 1, 'ios_calendar', 'rope', 1714780800000000, 'utc', NULL, '[\"+447700900456\"]'),"
      "(2, 'e2', 1, 'ios_calendar', 'rope', 1714780800000000, 'utc', '+447700900456', '[]')");
  auto finding = db.prepare(
      "INSERT INTO finding(key, record_kind, record_key, plugin, rule, category, confidence, title, detail) "
      "VALUES('f' || ?2, ?1, ?2, 'keywords', 'rope', 'planning', 1000, 'rope', "
      "'{\"points\":50,\"match\":\"rope\"}')");
  for (const char* key : {"n1", "n2", "e1", "e2"})
    finding.bind(1, key[0] == 'n' ? "note" : "event").bind(2, key).run();
  ASSERT_TRUE(rank(db, &file, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 2U) << "what the complainant noted or organised is no lead";
  const LeadRow* note = lead_of(all, "note");
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(note->key, "lead|towards|note|n1");
  EXPECT_EQ(note->score, 250) << "its words, and inside the window when it was last changed";
  EXPECT_EQ(note->reasons[0]["text"], "A note on exhibit ABC/1 contains “rope” (word list “planning”).");
  const LeadRow* event = lead_of(all, "event");
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->key, "lead|towards|event|e1");
  EXPECT_EQ(event->title.find("Calendar entry on exhibit ABC/1, 4 May 2024"), 0U) << event->title;
  EXPECT_NE(event->title.find("C1 (complainant)"), std::string::npos) << event->title;
}

TEST(Ranking, TitleOfAMessageNamesTheOtherParty) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/sms.db", 1, 7);
  db.execute(
      "INSERT INTO contact(key, item_id, name, identifiers) VALUES('c', 1, 'Kay', "
      "'[{\"kind\":\"phone\",\"value\":\"07700 900456\"}]')");
  add_message(db, 1, 1, "out", "", "+447700900456", kInWindow, false, "a");
  add_message(db, 2, 1, "in", "+447700900888", "", kInWindow, false, "b");
  add_finding(db, "f1", 0, "message|1", "keywords", "t", "threatening", 200);
  add_finding(db, "f2", 0, "message|2", "keywords", "t", "threatening", 200);
  ASSERT_TRUE(rank(db, &file, shipped()));
  std::map<std::string, std::string> titles;
  for (const LeadRow& lead : leads(db)) titles[lead.key] = lead.title;
  EXPECT_EQ(titles["lead|towards|message|message%7C1"],
            "Message (sms) from ABC/1 to Kay, complainant, 4 May 2024, 00:00:00 UTC");
  EXPECT_EQ(titles["lead|towards|message|message%7C2"],
            "Message (sms) from +447700900888 to ABC/1, 4 May 2024, 00:00:00 UTC");
}

// Time and place are worth what they are worth alone, and their meeting 150 more: no fact counts twice.
TEST(Ranking, APictureAtThePlaceAndTimeCountsEachFactOnce) {
  const CaseFile file = case_file();
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a.jpg", 1, 7);
  add_item(db, 2, "ABC/1:p0/b.jpg", 1, 8);
  db.execute(
      "INSERT INTO picture_row(content_id, taken, time_basis, latitude, longitude) VALUES"
      "(7, 1714780800000000, 'utc', 50.905, -1.404), (8, 1714780800000000, 'utc', 51.5, -0.12)");
  ASSERT_TRUE(rank(db, &file, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(lead_of(all, "content")->score, 200 + 150 + 150);
  EXPECT_EQ(lead_of(all, "content")->band, "high");
  const LeadRow* away = lead_of(all, "content", "away");
  ASSERT_NE(away, nullptr);
  EXPECT_EQ(away->score, 450);
  EXPECT_EQ(away->reasons.size(), 1U);
}

TEST(Ranking, RawBytesOfADatabaseWithMessagesCountLittle) {
  Database db = empty_case();
  add_item(db, 1, "GHI/1:p0/sms.db", 3, 7);
  add_item(db, 2, "GHI/1:p0/note.txt", 3, 8);
  add_message(db, 1, 1, "out", "", "x", 0);
  add_finding(db, "f1", 7, "", "keywords", "t", "planning", 300);
  add_finding(db, "f2", 8, "", "keywords", "t", "planning", 300);
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  std::map<std::string, int> scores;
  for (const LeadRow& lead : leads(db)) scores[lead.title] = lead.score;
  EXPECT_EQ(scores, (std::map<std::string, int>{{"sms.db", 40}, {"note.txt", 300}}));
}

// The plugin gives hits in raw bytes a category of their own: what a deleted row held must not go unranked.
TEST(Ranking, WordsInTheRawBytesOfADatabaseMakeALead) {
  Database db = empty_case();
  add_item(db, 1, "GHI/1:p0/sms.db", 3, 7);
  add_message(db, 1, 1, "out", "", "x", 0);
  add_finding(db, "f1", 7, "", "keywords", "t", "keyword-raw", 300);
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].title, "sms.db");
  EXPECT_EQ(all[0].reasons[0]["rule"], "words-in-database");
}

// 300 points of the words alone; a second sign would add 100.
TEST(Ranking, WhatADatabasesSchemaIsAndWhatItLacksAreNoSigns) {
  Database db = empty_case();
  add_item(db, 1, "GHI/1:p0/note.txt", 3, 8);
  add_finding(db, "f1", 8, "", "keywords", "t", "planning", 300);
  add_finding(db, "f2", 8, "", "appdata", "schema", "schema");
  add_finding(db, "f3", 8, "", "appdata", "gap", "gap");
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto all = leads(db);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].score, 300);
}

TEST(Ranking, ResultDoesNotDependOnRowIdsOrOrder) {
  const CaseFile file = case_file();
  const RankingRules rules = shipped();
  std::string first;
  for (unsigned seed = 0; seed < 5; ++seed) {
    Database db = empty_case();
    std::vector<int> order(200);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    for (std::size_t row = 0; row < order.size(); ++row) {
      const int n = order[row], id = static_cast<int>(row) + 1,
                content = 1000 + (n % 50) * (seed % 2 ? 3 : 1);
      add_item(db, id, numbered("ABC/1:p0/", n), 1, content, n % 3 == 0);
      if (n < 50) add_finding(db, numbered("h", n), content, "", "hashes", numbered("l", n % 4), "notable");
      add_message(db, id + (seed == 3 ? 500 : 0), id, n % 2 ? "out" : "in", "+447700900456", "+447700900999",
                  kInWindow + n * 3600, n % 5 == 0, numbered("c", n % 7));
      db.execute("UPDATE message SET key = 'm" + std::to_string(n) + "' WHERE key = 'message|" +
                 std::to_string(id + (seed == 3 ? 500 : 0)) + "'");
      if (n % 4 == 0)
        add_finding(db, numbered("k", n), 0, numbered("m", n), "keywords", numbered("t", n % 3), "planning",
                    50 + n);
    }
    ASSERT_TRUE(rank(db, &file, rules));
    std::string text;
    for (const LeadRow& lead : leads(db))
      text += lead.key + " " + std::to_string(lead.score) + " " + lead.reasons.dump() + lead.title + "\n";
    if (seed == 0) first = text;
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text, first) << seed;
  }
}

TEST(Ranking, RunsAgainInPlace) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a", 1, 7);
  add_finding(db, "f1", 7, "", "hashes", "list", "notable");
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto counts = rank(db, nullptr, shipped());
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->towards, 1U);
  EXPECT_EQ(leads(db).size(), 1U);
}

TEST(Ranking, ExhibitsAreRankedByTheirBestLead) {
  Database db = empty_case();
  add_item(db, 1, "ABC/1:p0/a.jpg", 1, 7);
  add_item(db, 2, "GHI/1:p0/b.jpg", 3, 8);
  add_finding(db, "f1", 7, "", "explicit", "m", "explicit-picture", -1, 900);
  add_finding(db, "f2", 8, "", "hashes", "list", "notable");
  ASSERT_TRUE(rank(db, nullptr, shipped()));
  const auto exhibits = rank_exhibits(db);
  ASSERT_EQ(exhibits.size(), 3U);
  EXPECT_EQ(exhibits[0].ref, "GHI/1");
  EXPECT_EQ(exhibits[0].best, 700);
  EXPECT_EQ(exhibits[1].ref, "ABC/1");
  EXPECT_EQ(exhibits[2].text, "Nothing on DEF/1 scored.");
}

}  // namespace
}  // namespace touchstone
