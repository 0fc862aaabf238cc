// What is worked out over the whole case database at the end.
#include "casefile/finalise.hpp"

#include "unit/casefile/made_case.hpp"

namespace touchstone {
namespace {

using test::digests;
using test::MadeCase;

class Finalise : public ::testing::Test {
 protected:
  void SetUp() override {
    unit_ = made_.unit();
    database_ = made_.item("/data/app/db.sqlite", unit_, ItemState::examined);
  }
  void attach(const std::string& message, const std::string& path, int ordinal = 0) {
    Record record;
    record.kind = "attachment";
    record.key = "attachment|" + message + "|" + std::to_string(ordinal);
    record.fields = {
        {"path", path}, {"message_key", made_.message(message).key}, {"ordinal", std::int64_t{ordinal}}};
    made_.writer.add_record(record, database_, 0, "appdata", unit_);
  }
  void message(const std::string& row, const std::string& thread, const std::string& sender,
               const std::string& recipients, std::int64_t sent) {
    Record record = made_.message(row);
    record.fields = {{"app", std::string("sms")}, {"account", std::string("me")}, {"conversation", thread},
                     {"sender", sender},          {"recipients", recipients},     {"sent", sent}};
    if (sent == 0) record.fields.pop_back();
    made_.writer.add_record(record, database_, 0, "appdata", unit_);
  }
  std::string ask(const std::string& sql) { return made_.ask(sql); }

  MadeCase made_;
  std::int64_t unit_ = 0, database_ = 0;
};

TEST_F(Finalise, AttachmentsAreFoundByTheLongestTailOfTheirPath) {
  made_.item("/media/0/Sent/1.jpg", unit_);
  const std::int64_t right = made_.item("/media/0/WhatsApp/Media/1.jpg", unit_);
  made_.item("/media/0/Media/1.jpg", unit_);
  made_.item("/media/0/xMedia/2.jpg", unit_);
  made_.item("/media/0/Media/3.jpg", unit_, ItemState::examined, ItemKind::directory);
  for (const char* row : {"a", "b", "c", "d", "e"})
    made_.writer.add_record(made_.message(row), database_, 0, "appdata", unit_);
  attach("a", "/storage/emulated/WhatsApp/Media/1.jpg");
  attach("b", "WhatsApp/Media/1.jpg");
  attach("c", "Media/2.jpg");       // only "xMedia" has one: another folder
  attach("d", "/Media/3.jpg");      // a folder is no attachment
  attach("e", "/elsewhere/1.jpg");  // the name alone is not enough
  finalise_case(made_.writer);
  const std::string id = std::to_string(right);
  EXPECT_EQ(ask("SELECT substr(message_key, -1), found, item_id FROM attachment ORDER BY 1"),
            "a|1|" + id + ";b|1|" + id + ";c|0|-;d|0|-;e|0|-");
  EXPECT_EQ(ask("SELECT substr(key, -1), attachment_item_id FROM message ORDER BY 1"),
            "a|" + id + ";b|" + id + ";c|-;d|-;e|-");
  EXPECT_EQ(ask("SELECT count(*) FROM attachment a JOIN message m ON m.id = a.message_id AND m.key = "
                "a.message_key"),
            "5");
}

TEST_F(Finalise, AttachmentsOfAnotherExhibitAreNotTaken) {
  Item other;
  other.locator = "DEF/1:p0/WhatsApp/Media/1.jpg;7";
  other.path = "/WhatsApp/Media/1.jpg";
  other.name = "1.jpg";
  made_.writer.add_item(other, made_.writer.add_exhibit("DEF/1", Role::witness, "x"), 0, ItemState::examined,
                        "", unit_);
  attach("a", "WhatsApp/Media/1.jpg");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT found FROM attachment"), "0");
}

TEST_F(Finalise, AnAttachmentThatComesLaterIsFoundTheNextTime) {
  // A run that was stopped is finished off too; what it had not read yet must not stay "not found".
  attach("a", "WhatsApp/Media/1.jpg");
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT found FROM attachment"), "0");
  made_.writer.begin();
  made_.item("/0/WhatsApp/Media/1.jpg", unit_);
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT found FROM attachment"), "1");
}

TEST_F(Finalise, ConversationsAreOneForEachThread) {
  message("1", "t1", "+447700900111", R"(["+447700900222"])", 500);
  message("2", "t1", "+447700900222", R"(["+447700900111","+447700900333",""])", 300);
  message("3", "t1", "", "not json", 0);
  message("4", "t2", "+447700900111", "[]", 900);
  finalise_case(made_.writer);
  EXPECT_EQ(
      ask("SELECT key, app, account, participants, first, last, messages FROM conversation ORDER BY key"),
      "conversation|ABC/1|sms|me|t1|sms|me|[\"+447700900111\",\"+447700900222\",\"+447700900333\"]|300|500|3;"
      "conversation|ABC/1|sms|me|t2|sms|me|[\"+447700900111\"]|900|900|1");
  EXPECT_EQ(ask("SELECT substr(key, -1), conversation FROM message ORDER BY 1"),
            "1|conversation|ABC/1|sms|me|t1;2|conversation|ABC/1|sms|me|t1;3|conversation|ABC/"
            "1|sms|me|t1;4|conversation|ABC/1|sms|me|t2");
}

TEST_F(Finalise, MadeAfreshItIsTheSame) {
  message("1", "t1", "+447700900111", "[]", 500);
  attach("1", "WhatsApp/Media/1.jpg");
  made_.item("/0/WhatsApp/Media/1.jpg", unit_);
  finalise_case(made_.writer);
  const std::string dump =
      "SELECT key, conversation, attachment_item_id FROM message UNION ALL SELECT key, participants, "
      "messages FROM "
      "conversation UNION ALL SELECT key, item_id, found FROM attachment";
  const std::string before = ask(dump);
  made_.writer.begin();
  finalise_case(made_.writer);
  EXPECT_EQ(ask(dump), before);
}

TEST_F(Finalise, EveryDeclaredRuleIsInTheTableOfSearches) {
  const std::int64_t other = made_.writer.add_exhibit("DEF/1", Role::witness, "x");
  for (const char* rule : {"threat", "never-hit"}) made_.writer.declare_rule("keywords", rule, "2", "Words");
  made_.writer.declare_rule("explicit", "nude", "1", "Picture model");
  made_.writer.declare_rule("faces", "face", "1", "Faces");
  Database& db = made_.writer.database();
  db.execute(
      "INSERT INTO plugin(name, state, reason) VALUES('keywords', 'ran', NULL), ('explicit', 'absent', "
      "'model_missing: no model'), ('faces', 'left_out', '')");
  made_.writer.add_plugin_run(made_.exhibit, "keywords", 10, 2);
  // One finding of a place, and one of bytes that lie at two places of one exhibit and one of the other.
  made_.writer.add_finding(made_.finding("threat"), database_, 0, unit_);
  const std::int64_t content = made_.writer.content(digests('c'), 1, "text/plain").id;
  for (const char* path : {"/a", "/b"})
    made_.writer.set_item(made_.item(path, unit_), content, ItemState::examined, "");
  Item elsewhere;
  elsewhere.locator = "DEF/1:p0/c;7";
  made_.writer.set_item(made_.writer.add_item(elsewhere, other, 0, ItemState::pending, "", unit_), content,
                        ItemState::examined, "");
  Finding of_content = made_.finding("threat");
  of_content.key += "2";
  made_.writer.add_finding(of_content, 0, content, unit_);
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT e.ref, s.plugin, s.rule, s.rule_version, s.ran_over, s.hits, s.not_run, s.reasons "
                "FROM search s JOIN exhibit e "
                "ON e.id = s.exhibit_id ORDER BY s.id"),
            "ABC/1|explicit|nude|1|0|0|0|model_missing: no model;"
            "ABC/1|faces|face|1|0|0|0|left_out;"
            "ABC/1|keywords|never-hit|2|10|0|2|left out after it failed twice;"
            "ABC/1|keywords|threat|2|10|2|2|left out after it failed twice;"
            "DEF/1|explicit|nude|1|0|0|0|model_missing: no model;"
            "DEF/1|faces|face|1|0|0|0|left_out;"
            "DEF/1|keywords|never-hit|2|0|0|0|-;"
            "DEF/1|keywords|threat|2|0|1|0|-");
}

TEST_F(Finalise, ContentsWithoutAPlaceGoAndPlacesAreCounted) {
  const std::int64_t kept = made_.writer.content(digests('a'), 1, "image/jpeg").id;
  const std::int64_t lost = made_.writer.content(digests('b'), 1, "image/jpeg").id;
  for (const std::int64_t content : {kept, lost}) {
    Record picture;
    picture.kind = "picture";
    picture.key = "p";
    made_.writer.add_record(picture, 0, content, "pictures", unit_);
    made_.writer.add_finding(made_.finding("r" + std::to_string(content)), 0, content, unit_);
    made_.writer.add_problem(made_.problem("q" + std::to_string(content)), 0, 0, content, unit_);
  }
  for (const char* path : {"/z", "/b", "/y"})
    made_.writer.set_item(made_.item(path, unit_), kept, ItemState::examined, "");
  finalise_case(made_.writer);
  const std::string id = std::to_string(kept);
  EXPECT_EQ(ask("SELECT id, places FROM content"), id + "|3");
  for (const char* table : {"picture_row", "finding", "problem"}) {
    EXPECT_EQ(ask(std::string("SELECT DISTINCT content_id FROM ") + table), id) << table;
  }
  EXPECT_EQ(ask("SELECT i.path, p.exhibit_id FROM problem p JOIN item_row i ON i.id = p.item_id"),
            "/b|1");  // the smallest locator
  EXPECT_EQ(ask("SELECT key FROM picture ORDER BY key"),
            "picture|ABC/1:p0/b;7;picture|ABC/1:p0/y;7;picture|ABC/1:p0/z;7");
}

TEST_F(Finalise, AContentThatWentCanComeAgain) {
  made_.writer.content(digests('b'), 1, "image/jpeg");
  finalise_case(made_.writer);
  made_.writer.begin();
  const ContentRef again = made_.writer.content(digests('b'), 1, "image/jpeg");
  EXPECT_EQ(ask("SELECT count(*) FROM content WHERE id = " + std::to_string(again.id)), "1");
}

TEST_F(Finalise, EqualBytesShareWhatCouldNotBeDoneWithThem) {
  const std::int64_t partly = made_.writer.content(digests('a'), 1, "application/zip").id;
  const std::int64_t locked = made_.writer.content(digests('b'), 1, "application/zip").id;
  const std::int64_t fine = made_.writer.content(digests('c'), 1, "application/zip").id;
  made_.writer.set_analysed(partly, digests('a').sha256, ItemState::partly_examined, "archives: cut short",
                            0);
  made_.writer.set_analysed(locked, digests('b').sha256, ItemState::encrypted, "archives: needs a password",
                            0);
  made_.writer.set_analysed(fine, digests('c').sha256, ItemState::examined, "", 0);
  const auto place = [&](const char* path, std::int64_t content, ItemState state) {
    made_.writer.set_item(made_.item(path, unit_), content, state,
                          state == ItemState::examined ? "" : "own reason");
  };
  place("/1", partly, ItemState::examined);
  place("/2", locked, ItemState::examined);
  place("/3", fine, ItemState::examined);
  place("/4", partly, ItemState::timed_out);  // worse already: stays
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT path, state, reason FROM item_row WHERE path GLOB '/[1-4]' ORDER BY 1"),
            "/1|partly_examined|archives: cut short;/2|encrypted|archives: needs a "
            "password;/3|examined|-;/4|timed_out|own reason");
}

TEST_F(Finalise, FindingsKnowTheRowsTheyAreAbout) {
  made_.writer.add_record(made_.message("1"), database_, 0, "appdata", unit_);
  Finding finding = made_.finding("threat");
  finding.record_kind = "message";
  finding.record_key = made_.message("1").key;
  made_.writer.add_finding(finding, database_, 0, unit_);
  finalise_case(made_.writer);
  EXPECT_EQ(ask("SELECT m.body FROM finding f JOIN message m ON m.id = f.record_id"), "body 1");
}

TEST_F(Finalise, StatesAddUpToWhatWasEnumerated) {
  made_.item("/1", unit_, ItemState::failed);
  made_.item("/2", unit_, ItemState::failed);
  made_.item("/3", unit_, ItemState::pending);
  finalise_case(made_.writer);
  std::int64_t sum = 0;
  std::string text;
  for (const StateCount& count : state_counts(made_.writer.database())) {
    sum += count.items;
    text += count.exhibit + " " + count.state + " " + std::to_string(count.items) + ";";
  }
  EXPECT_EQ(sum, 4);
  EXPECT_EQ(text, "ABC/1 examined 1;ABC/1 failed 2;ABC/1 pending 1;");
}

TEST_F(Finalise, CompletenessCountsWhatKeepsARunFromBeingClean) {
  made_.writer.set_exhibit(made_.exhibit, "size", std::int64_t{100});
  Database& db = made_.writer.database();
  db.execute("UPDATE unit SET state = 2");
  finalise_case(made_.writer);
  const Completeness clean = completeness(db);
  EXPECT_EQ(clean.units_open + clean.items_short + clean.volumes_not_read + clean.plugins_absent +
                clean.exhibits_bad,
            0);
  made_.writer.begin();
  made_.unit();
  made_.item("/1", unit_, ItemState::encrypted);
  made_.item("/2", unit_, ItemState::timed_out);
  Volume volume;
  volume.slot = "p1", volume.state = VolumeState::unsupported;
  made_.writer.add_volume(made_.exhibit, volume, unit_);
  db.execute(
      "INSERT INTO plugin(name, state) VALUES('explicit', 'absent'), ('faces', 'left_out'), ('keywords', "
      "'ran')");
  made_.writer.set_exhibit(made_.exhibit, "verified", std::int64_t{0});
  made_.writer.commit();
  const Completeness dirty = completeness(db);
  EXPECT_EQ(dirty.units_open, 1);
  EXPECT_EQ(dirty.items_short, 2);
  EXPECT_EQ(dirty.volumes_not_read, 1);
  EXPECT_EQ(dirty.plugins_absent, 1);
  EXPECT_EQ(dirty.exhibits_bad, 1);
}

}  // namespace
}  // namespace touchstone
