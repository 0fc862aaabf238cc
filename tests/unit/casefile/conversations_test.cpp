// Copies of one message are folded, threads become conversations.
#include "casefile/conversations.hpp"

#include "casefile/finalise.hpp"
#include "unit/casefile/made_case.hpp"

namespace touchstone {
namespace {

using test::MadeCase;

struct Said {
  std::string row, thread, direction, who, body;
  std::int64_t sent = 0;
  bool recovered = false;
};

class Conversations : public ::testing::Test {
 protected:
  void SetUp() override {
    unit_ = made_.unit();
    live_ = made_.item("/data/sms.db", unit_, ItemState::examined);
    backup_ = made_.item("/backup/sms.db", unit_, ItemState::examined);
  }
  /// `who` is the other party: the sender of what came in, the recipient of what went out.
  void say(std::int64_t item, const Said& said, const std::string& app = "sms") {
    Record record;
    record.kind = "message";
    record.key =
        "message|" + std::to_string(item) + "|" + app + "|sms|" + said.row + (said.recovered ? "|r" : "");
    record.fields = {{"app", app},
                     {"conversation", said.thread},
                     {"direction", said.direction},
                     {"body", said.body},
                     {"source_table", std::string("sms")},
                     {"source_row", said.row},
                     {"recovered", std::int64_t{said.recovered ? 1 : 0}}};
    if (said.direction == "in") record.fields.emplace_back("sender", said.who);
    if (said.direction == "out" && !said.who.empty())
      record.fields.emplace_back("recipients", "[\"" + said.who + "\"]");
    if (said.sent) record.fields.emplace_back("sent", said.sent);
    made_.writer.add_record(record, item, 0, "appdata", unit_);
  }
  void contact(const std::string& name, const std::string& app, const std::string& identifier) {
    Record record;
    record.kind = "contact";
    record.key = "contact|" + identifier;
    record.fields = {{"app", app},
                     {"name", name},
                     {"identifiers", R"([{"kind":")" + app + R"(","value":")" + identifier + "\"}]"}};
    made_.writer.add_record(record, live_, 0, "appdata", unit_);
  }
  std::string ask(const std::string& sql) { return made_.ask(sql); }
  std::string folded() {
    return ask(
        "SELECT m.item_id, m.source_row, k.item_id, k.source_row FROM message m JOIN message k ON k.id = "
        "m.folded_into ORDER BY "
        "m.key");
  }

  MadeCase made_;
  std::int64_t unit_ = 0, live_ = 0, backup_ = 0;
};

TEST_F(Conversations, ACopyInABackupIsFoldedIntoTheLiveMessage) {
  say(live_, {"1", "7", "in", "+447700900001", "where are you", 1000});
  say(live_, {"2", "7", "out", "+447700900001", "home", 2000});
  say(backup_, {"1", "3", "in", "+447700900001", "where are you", 1000});
  say(backup_, {"9", "3", "in", "+447700900001", "only in the backup", 3000});
  finalise_case(made_.writer);
  const std::string backup = std::to_string(backup_), live = std::to_string(live_);
  // "/backup" sorts before "/data": of two live copies the smaller locator is shown.
  EXPECT_EQ(folded(), live + "|1|" + backup + "|1");
  EXPECT_EQ(ask("SELECT count(*), sum(messages) FROM conversation"), "1|3");
  EXPECT_EQ(ask("SELECT count(*) FROM message"), "4") << "every source is kept";
}

TEST_F(Conversations, WhatOneDatabaseSaysTwiceWasSaidTwice) {
  say(live_, {"1", "7", "in", "+447700900001", "ok", 1000});
  say(live_, {"2", "7", "in", "+447700900001", "ok", 1000});
  say(backup_, {"1", "7", "in", "+447700900001", "ok", 1000});
  say(backup_, {"2", "7", "in", "+447700900001", "ok", 1000});
  say(backup_, {"3", "7", "in", "+447700900001", "ok", 1000});
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT count(*) FROM message WHERE folded_into IS NULL"), "3");
  EXPECT_EQ(ask("SELECT messages FROM conversation"), "3");
}

TEST_F(Conversations, ARecoveredCopyIsFoldedIntoTheLiveOne) {
  say(backup_, {"1", "7", "in", "+447700900001", "hello", 1000, true});
  say(live_, {"1", "7", "in", "+447700900001", "hello", 1000});
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT count(*) FROM message WHERE folded_into IS NULL AND recovered = 0"), "1");
  EXPECT_EQ(ask("SELECT count(*) FROM message WHERE folded_into IS NOT NULL AND recovered = 1"), "1");
}

TEST_F(Conversations, OtherTimeTextDirectionSenderOrAppIsAnotherMessage) {
  say(live_, {"1", "7", "in", "+447700900001", "hello", 1000});
  say(backup_, {"1", "7", "in", "+447700900001", "hello", 1001});
  say(backup_, {"2", "7", "in", "+447700900001", "Hello", 1000});
  say(backup_, {"3", "7", "out", "+447700900001", "hello", 1000});
  say(backup_, {"4", "7", "in", "+447700900002", "hello", 1000});
  say(backup_, {"5", "7", "in", "+447700900001", "hello", 1000}, "chatter");
  finalise_case(made_.writer);
  EXPECT_EQ(folded(), "");
}

// Which of its sides the owner is does not stand in every database.
TEST_F(Conversations, ACopyThatDoesNotSayItsDirectionIsFoldedIntoOneThatDoes) {
  const auto cached = [&](std::int64_t item, const std::string& row, const std::string& direction,
                          const std::string& body) {
    Record record;
    record.kind = "message";
    record.key = "message|" + std::to_string(item) + "|discord|cached|" + row;
    record.fields = {{"app", std::string("discord")},
                     {"conversation", std::string("900000000000000001")},
                     {"direction", direction},
                     {"sender", std::string("501")},
                     {"body", body},
                     {"sent", std::int64_t{1000}},
                     {"source_table", std::string("cached")},
                     {"source_row", row}};
    made_.writer.add_record(record, item, 0, "appdata", unit_);
  };
  cached(live_, "1", "out", "on my way");
  cached(backup_, "2", "unknown", "on my way");
  cached(backup_, "3", "unknown", "another");
  finalise_case(made_.writer);
  EXPECT_EQ(folded(), std::to_string(backup_) + "|2|" + std::to_string(live_) + "|1");
  EXPECT_EQ(ask("SELECT direction FROM message WHERE folded_into IS NULL ORDER BY source_row"),
            "out;unknown");
}

TEST_F(Conversations, WithoutATimeNothingIsFolded) {
  say(live_, {"1", "7", "in", "+447700900001", "hello"});
  say(backup_, {"1", "7", "in", "+447700900001", "hello"});
  finalise_case(made_.writer);
  EXPECT_EQ(folded(), "");
}

TEST_F(Conversations, WithoutATextRowAndTableMustBeTheSameToo) {
  say(live_, {"1", "7", "in", "+447700900001", "", 1000});
  say(live_, {"2", "7", "in", "+447700900001", "", 1000});
  say(backup_, {"1", "7", "in", "+447700900001", "", 1000});
  say(backup_, {"3", "7", "in", "+447700900001", "", 1000});
  finalise_case(made_.writer);
  EXPECT_EQ(folded(), std::to_string(live_) + "|1|" + std::to_string(backup_) + "|1");
}

TEST_F(Conversations, TheSameNumberInTwoDatabasesMayBeTwoPeople) {
  say(live_, {"1", "3", "in", "+447700900001", "one", 1000});
  say(backup_, {"1", "3", "in", "+447700900002", "two", 2000});
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT title, messages FROM conversation ORDER BY title"),
            "+447700900001|1;+447700900002|1");
}

TEST_F(Conversations, AThreadDeletedAndBegunAgainIsOneConversation) {
  say(live_, {"1", "3", "out", "+447700900001", "one", 1000});
  say(live_, {"2", "8", "out", "07700 900001", "two", 2000});
  say(live_, {"3", "9", "out", "", "a draft to nobody", 3000});
  say(backup_, {"4", "thread 9", "out", "", "another draft to nobody", 4000});
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT messages FROM conversation ORDER BY 1"), "1;1;2");
}

TEST_F(Conversations, ANumberInTwoNotationsIsOneThread) {
  say(live_, {"1", "+447700900001", "in", "+447700900001", "one", 1000});
  say(live_, {"2", "07700 900001", "out", "07700 900001", "two", 2000});
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT messages FROM conversation"), "2");
}

TEST_F(Conversations, AGroupWithOneSpeakerIsNotTheChatWithThatSpeaker) {
  say(live_, {"1", "447700900001@s.whatsapp.net", "in", "447700900001@s.whatsapp.net", "hi", 1000},
      "whatsapp");
  say(live_, {"2", "120363000000000000@g.us", "in", "447700900001@s.whatsapp.net", "hi all", 2000},
      "whatsapp");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT count(*) FROM conversation"), "2");
}

TEST_F(Conversations, AnIdentifierThatTheAppGivesIsTheSameInEveryDatabase) {
  say(live_, {"1", "120363000000000000@g.us", "in", "447700900001@s.whatsapp.net", "hi", 1000}, "whatsapp");
  say(backup_, {"1", "120363000000000000@g.us", "in", "447700900002@s.whatsapp.net", "ho", 2000}, "whatsapp");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT messages, json_array_length(participants) FROM conversation"), "2|2");
}

TEST_F(Conversations, AThreadThatAServerNumbersIsCalledByThePeopleInIt) {
  say(live_, {"1", "691283137615101955", "in", "579257851646574644", "hi", 1000}, "discord");
  say(live_, {"2", "691283137615101955", "in", "672145484864815124", "ho", 2000}, "discord");
  say(live_, {"3", "691283137615101955", "in", "672145484864815999", "ha", 3000}, "discord");
  say(live_, {"4", "Saturday", "in", "579257851646574644", "a group with a name", 4000}, "discord");
  contact("Alex Example", "discord", "579257851646574644");
  contact("Sam Example", "discord", "672145484864815124");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT title FROM conversation ORDER BY 1"),
            "Alex Example, Sam Example and 1 other (691283137615101955);Saturday");
}

TEST_F(Conversations, AThreadOfMailsIsCalledByTheSubjectOfItsFirst) {
  say(live_, {"2", "<1@example.com>", "in", "a@example.com", "Re: Saturday\nYes.", 2000}, "email");
  say(backup_, {"1", "<1@example.com>", "out", "a@example.com", "Saturday\nAre you free?", 1000}, "email");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT title, messages FROM conversation"), "Saturday|2");
}

TEST_F(Conversations, GapsBetweenTwoMessagesOfAConversationAreCounted) {
  const std::int64_t content = made_.writer.content(test::digests('a'), 1, "application/vnd.sqlite3").id;
  made_.writer.set_item(live_, content, ItemState::examined, "");
  say(live_, {"4", "3", "in", "+447700900001", "one", 1000});
  say(live_, {"9", "3", "in", "+447700900001", "two", 2000});
  say(live_, {"12", "5", "in", "+447700900002", "three", 3000});
  say(live_, {"14", "5", "in", "+447700900002", "four", 4000});
  const auto gap = [&](int after, int before, std::int64_t item) {
    Finding finding = made_.finding("gap-" + std::to_string(after));
    finding.category = "gap";
    finding.detail = "{\"table\":\"sms\",\"after\":" + std::to_string(after) +
                     ",\"before\":" + std::to_string(before) + "}";
    made_.writer.add_finding(finding, item, item ? 0 : content, unit_);
  };
  gap(4, 9, live_);
  gap(9, 12, 0);
  gap(12, 14, 0);
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT title, gaps FROM conversation ORDER BY 1"), "+447700900001|1;+447700900002|1");
}

}  // namespace
}  // namespace touchstone
