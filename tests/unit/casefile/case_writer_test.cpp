// The writer of the case database: units and what they wrote, contents, and who may write.
#include "casefile/case_writer.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "unit/casefile/made_case.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using test::digests;
using test::MadeCase;
using test::rows;

TEST(CaseWriter, AddsToTheMetadataOfAnExhibit) {
  MadeCase made;
  const auto metadata = [&] {
    auto query = made.writer.database().prepare("SELECT metadata FROM exhibit WHERE id = ?1");
    query.bind(1, made.exhibit);
    return query.step() ? query.text(0) : std::string();
  };
  made.writer.add_exhibit_metadata(made.exhibit, R"({"device_name":"A"})");
  EXPECT_EQ(metadata(), R"({"device_name":"A"})");
  made.writer.add_exhibit_metadata(made.exhibit, R"({"device_name":"B","model":"M"})");
  EXPECT_EQ(metadata(), R"({"device_name":"A","model":"M"})") << "what is there stays";
  made.writer.add_exhibit_metadata(made.exhibit, "no JSON");
  EXPECT_EQ(metadata(), R"({"device_name":"A","model":"M"})");
}

TEST(CaseWriter, KeepsUnitsAndGivesOpenOnesBack) {
  MadeCase made;
  UnitRow row;
  row.exhibit_id = made.exhibit;
  row.kind = 4, row.level = 2, row.priority = -7, row.item_id = 12;
  row.charges = R"({"keywords":1})";
  row.spec = std::string("a\0b\xFF", 4);
  const std::int64_t id = made.writer.add_unit(row);
  const std::int64_t held = made.unit(), done = made.unit();
  made.writer.set_unit_state(held, UnitState::held);
  made.writer.set_unit_state(done, UnitState::done);
  const UnitRow back = made.writer.find_unit(id).value();
  EXPECT_EQ(back.kind, 4);
  EXPECT_EQ(back.level, 2);
  EXPECT_EQ(back.priority, -7);
  EXPECT_EQ(back.item_id, 12);
  EXPECT_EQ(back.charges, row.charges);
  EXPECT_EQ(back.spec, row.spec);
  EXPECT_EQ(back.state, UnitState::pending);
  std::map<std::int64_t, UnitState> open;
  made.writer.each_open_unit(
      [&](std::int64_t each, int, std::int64_t, UnitState state) { open[each] = state; });
  EXPECT_EQ(open.count(done), 0U);
  EXPECT_EQ(open.at(held), UnitState::held);
  EXPECT_EQ(open.at(id), UnitState::pending);
  made.writer.set_unit(id, UnitState::done, "{}", "z");
  EXPECT_EQ(made.writer.find_unit(id)->spec, "z");
  EXPECT_FALSE(made.writer.find_unit(999));
}

TEST(CaseWriter, TakeBackRemovesAllThatAUnitWroteAndNothingElse) {
  MadeCase made;
  const std::int64_t kept_unit = made.unit(), bad_unit = made.unit();
  for (const std::int64_t unit : {kept_unit, bad_unit}) {
    const std::string name = unit == bad_unit ? "bad" : "kept";
    const std::int64_t item = made.item("/" + name, unit);
    made.unit(item);  // the child unit that examines it
    for (const char* kind :
         {"message", "attachment", "call", "contact", "account", "location", "visit", "event", "note"}) {
      Record record;
      record.kind = kind;
      record.key = name + kind;
      made.writer.add_record(record, item, 0, "appdata", unit);
    }
    made.writer.add_finding(made.finding(name), item, 0, unit);
    made.writer.add_problem(made.problem(name), item, made.exhibit, 0, unit);
    made.writer.add_out_of_scope(made.exhibit, "p0", "role", 3, unit);
    made.writer.add_damage({made.exhibit, item, 512, 512, 0, "bad"}, unit);
    Volume volume;
    volume.slot = "p9" + name;
    made.writer.add_volume(made.exhibit, volume, unit);
  }
  made.writer.mark_partial(bad_unit, true);
  EXPECT_EQ(made.writer.partial_units(), (std::vector<std::int64_t>{bad_unit}));
  made.writer.take_back(bad_unit);
  EXPECT_TRUE(made.writer.partial_units().empty());
  for (const char* table :
       {"volume", "message", "attachment", "call", "contact", "account", "location", "visit", "event", "note",
        "finding", "problem", "damage", "out_of_scope", "item_row"}) {
    const std::string count = std::string("SELECT count(*) FROM ") + table + " WHERE unit_id = ";
    EXPECT_EQ(made.ask(count + std::to_string(bad_unit)), "0") << table;
    EXPECT_EQ(made.ask(count + std::to_string(kept_unit)), "1") << table;
  }
  // Every table that names units was looked at.
  EXPECT_EQ(made.ask("SELECT count(*) FROM sqlite_schema s WHERE s.type = 'table' AND EXISTS "
                     "(SELECT 1 FROM pragma_table_info(s.name) WHERE name = 'unit_id')"),
            "16");  // and content, whose rows stay and are only no longer analysed
  EXPECT_EQ(made.ask("SELECT count(*) FROM unit WHERE item_id > 0"), "1");
  EXPECT_TRUE(made.writer.find_unit(bad_unit));  // to be done again
}

TEST(CaseWriter, WhatATakenBackUnitFoundOfAContentIsFoundAgainAndOnce) {
  // A part of a unit's results can be in the database when its worker dies. Its findings go; so the content
  // must not count as analysed any more, or nobody would look at it again.
  MadeCase made;
  const std::int64_t item = made.item("/a.jpg", made.unit());
  const std::int64_t examine = made.unit(item);
  Record picture;
  picture.kind = "picture";
  picture.key = "picture|a";
  picture.fields = {{"width", std::int64_t{4}}};
  const auto write = [&] {  // as the coordinator applies a part
    const ContentRef content = made.writer.content(digests('a'), 10, "image/jpeg");
    made.writer.set_item(item, content.id, ItemState::examined, "");
    if (content.analysed) return;
    made.writer.set_analysed(content.id, digests('a').sha256, ItemState::examined, "", examine);
    made.writer.add_record(picture, item, content.id, "pictures", examine);
    made.writer.add_finding(made.finding("r"), 0, content.id, examine);
  };
  write();
  made.writer.take_back(examine);
  write();
  EXPECT_EQ(made.ask("SELECT count(*) FROM finding"), "1");
  EXPECT_EQ(made.ask("SELECT count(*) FROM picture_row"), "1");
}

TEST(CaseWriter, PartialMarksOutliveTheProcess) {
  const test::Scratch folder;
  const pid_t child = fork();
  if (child == 0) {  // a coordinator that is killed half-way
    CaseWriter writer(folder.path("."));
    writer.begin();
    writer.mark_partial(3, true);
    writer.mark_partial(11, true);
    writer.mark_partial(3, false);
    writer.commit();
    writer.begin();
    writer.mark_partial(12, true);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  CaseWriter writer(folder.path("."));
  EXPECT_EQ(writer.partial_units(), (std::vector<std::int64_t>{11}));
  writer.close();
}

TEST(CaseWriter, EqualBytesAreOneContentAlsoInTheNextRun) {
  const test::Scratch folder;
  std::int64_t first = 0;
  {
    CaseWriter writer(folder.path("."));
    writer.begin();
    const ContentRef a = writer.content(digests('a'), 10, "text/plain");
    first = a.id;
    EXPECT_EQ(writer.content(digests('a'), 10, "text/plain").id, first);
    EXPECT_NE(writer.content(digests('b'), 10, "text/plain").id, first);
    EXPECT_FALSE(a.analysed);
    writer.set_analysed(first, digests('a').sha256, ItemState::examined, "", 1);
    EXPECT_TRUE(writer.content(digests('a'), 10, "text/plain").analysed);
    writer.close();
  }
  CaseWriter writer(folder.path("."));
  writer.begin();
  const ContentRef again = writer.content(digests('a'), 10, "text/plain");
  EXPECT_EQ(again.id, first);
  EXPECT_TRUE(again.analysed);
  EXPECT_FALSE(writer.content(digests('b'), 10, "text/plain").analysed);
  EXPECT_EQ(rows(writer.database(),
                 "SELECT lower(hex(sha256)), lower(hex(md5)), lower(hex(sha1)) FROM content WHERE id = 1"),
            digests('a').sha256 + "|" + digests('a').md5 + "|" + digests('a').sha1);
  EXPECT_EQ(rows(writer.database(), "SELECT count(*) FROM content"), "2");
  writer.close();
}

TEST(CaseWriter, AValueOfTheWrongTypeIsAProblemAndTheRestStands) {
  MadeCase made;
  const std::int64_t unit = made.unit();
  const std::int64_t item = made.item("/sms.db", unit);
  Record bad = made.message("1");
  bad.fields[2].second = std::string("yesterday");  // `sent` is a number
  made.writer.add_record(bad, item, 0, "appdata", unit);
  made.writer.add_record(made.message("2"), item, 0, "appdata", unit);
  Record unknown = made.message("3");
  unknown.kind = "no such table";
  made.writer.add_record(unknown, item, 0, "appdata", unit);
  EXPECT_EQ(made.ask("SELECT key, body FROM message"), made.message("2").key + "|body 2");
  EXPECT_EQ(made.ask("SELECT plugin, kind, item_id FROM problem"), "appdata|corrupt|" + std::to_string(item));
}

TEST(CaseWriter, ARefusedRowsProblemDoesNotNameTheOutputFolder) {
  // Exports of the same evidence are the same bytes wherever they are written.
  MadeCase made;
  Record bad = made.message("1");
  bad.fields[2].second = std::string("yesterday");
  made.writer.add_record(bad, made.item("/sms.db", 1), 0, "appdata", 1);
  const std::string message = made.ask("SELECT message FROM problem");
  EXPECT_NE(message, "");
  EXPECT_EQ(message.find(made.folder.path("").substr(0, made.folder.path("").size() - 1)), std::string::npos)
      << message;
}

TEST(CaseWriter, RowsOfAMessageAreAsTheyWereGiven) {
  MadeCase made;
  Record record = made.message("1");
  record.fields.emplace_back("conversation", std::string("thread 5"));
  record.fields.emplace_back("no_such_column", std::int64_t{1});
  made.writer.add_record(record, 5, 0, "appdata", 9);
  EXPECT_EQ(made.ask("SELECT key, item_id, app, sent, body, thread, plugin, unit_id FROM message"),
            record.key + "|5|sms|1000|body 1|thread 5|appdata|9");
}

TEST(CaseWriter, ASecondWriterIsRefusedUntilTheFirstCloses) {
  const test::Scratch folder;
  CaseWriter writer(folder.path("."));
  const auto second = [&] {  // another process, as it would be
    const pid_t child = fork();
    if (child == 0) {
      try {
        CaseWriter other(folder.path("."));
        _exit(0);
      } catch (const CaseError& error) {
        _exit(std::string(error.what()).find("another touchstone") != std::string::npos ? 7 : 8);
      }
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(second(), 7);
  writer.close();
  EXPECT_EQ(second(), 0);
}

TEST(CaseWriter, ADatabaseOfSomebodyElseIsNeitherUsedNorChanged) {
  const test::Scratch folder;
  {
    Database other(folder.path("case.db"), Database::Mode::create);
    other.execute("CREATE TABLE shopping(item TEXT)");
  }
  EXPECT_THROW(CaseWriter(folder.path(".")), CaseError);
  Database other(folder.path("case.db"), Database::Mode::read_only);
  EXPECT_EQ(rows(other, "SELECT name FROM sqlite_schema"), "shopping");
}

TEST(CaseWriter, CloseLeavesOneFileEach) {
  const test::Scratch folder;
  {
    CaseWriter writer(folder.path("."));
    writer.begin();
    writer.set_setting("a", "b");
    writer.add_preview("00ff", 3, 4, std::string("\xFF\xD8", 2), std::string("\0x", 2));
    writer.commit();
    EXPECT_TRUE(fs::exists(folder.path("case.db-wal")));  // while it runs
    writer.close();
  }
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path("."))) {
    if (!entry.path().filename().string().starts_with('.')) files.insert(entry.path().filename().string());
  }
  EXPECT_EQ(files, (std::set<std::string>{"case.db", "previews.db"}));
  const Database db(folder.path("case.db"), Database::Mode::read_only);
  EXPECT_EQ(rows(db, "PRAGMA journal_mode"), "delete");
  EXPECT_EQ(rows(db, "PRAGMA integrity_check"), "ok");
  EXPECT_EQ(rows(db, "SELECT value FROM setting WHERE name = 'a'"), "b");
  const Database previews(folder.path("previews.db"), Database::Mode::read_only);
  EXPECT_EQ(rows(previews, "SELECT sha256, width, height, hex(blurred), hex(clear) FROM preview"),
            "00ff|3|4|FFD8|0078");
}

TEST(CaseWriter, DamagedRangesAreJoinedWithTheItemsThatHaveBytesInThem) {
  MadeCase made;
  const std::int64_t unit = made.unit(), inside = made.item("/inside", unit),
                     before = made.item("/before", unit);
  const std::int64_t packed = made.item("/packed", unit);
  made.writer.add_damage({made.exhibit, 0, 1000, 100, std::nullopt, "chunk"}, unit);
  made.writer.add_damage({made.exhibit, 0, 5000, 100, std::nullopt, "chunk"}, unit);
  made.writer.add_damage({made.exhibit, before, 990, 10, 0, "chunk"}, unit);
  made.writer.add_damage({made.exhibit, inside, 1099, 1, 7, "chunk"}, unit);
  made.writer.add_damage({made.exhibit, packed, std::nullopt, UINT64_MAX, 0, "packed"}, unit);
  EXPECT_EQ(
      made.ask("SELECT range_offset, range_length, item_id, offset, item_offset, length FROM damaged_item "
               "WHERE item_id IS NOT NULL"),
      "1000|100|" + std::to_string(inside) + "|1099|7|1");
  EXPECT_EQ(made.ask("SELECT range_offset FROM damaged_item WHERE item_id IS NULL"), "5000");
  EXPECT_EQ(made.ask("SELECT count(*) FROM damage WHERE length > 0 AND item_id = " + std::to_string(packed)),
            "1");
}

TEST(CaseWriter, CountsOfPluginsAddUp) {
  MadeCase made;
  made.writer.add_plugin_run(made.exhibit, "keywords", 5, 1);
  made.writer.add_plugin_run(made.exhibit, "keywords", 7, 0);
  EXPECT_EQ(made.ask("SELECT plugin, ran, not_run FROM plugin_run"), "keywords|12|1");
  made.writer.add_timing(1, "keywords", 2, 30, 400);
  made.writer.add_timing(1, "keywords", 2, 30, 400);
  EXPECT_EQ(made.ask("SELECT stage, calls, cpu_us, bytes FROM timing"), "keywords|4|60|800");
}

TEST(CaseWriter, ThePublicTablesAreAllThere) {
  // The names of the public interface; scripts query them.
  MadeCase made;
  for (const char* name :
       {"exhibit", "volume",   "item",      "content", "message",  "attachment", "conversation",
        "call",    "contact",  "account",   "person",  "location", "visit",      "picture",
        "video",   "document", "finding",   "lead",    "search",   "problem",    "decision",
        "run",     "plugin",   "rule_file", "event",   "note",     "damage",     "damaged_item"}) {
    EXPECT_EQ(
        made.ask(
            std::string("SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND name = '") +
            name + "'"),
        "1")
        << name;
    EXPECT_NO_THROW(made.ask(std::string("SELECT * FROM ") + name)) << name;
  }
}

}  // namespace
}  // namespace touchstone
