// Browsers over rows written by hand in the schemas of real profiles. Addresses are invented.
#include <gtest/gtest.h>

#include "plugins/messengers/expect.hpp"
#include "plugins/messengers/schemas.hpp"

namespace touchstone::test {
namespace {

Fields visit(const Outcome& outcome, const std::string& row) {
  return fields(outcome, "visit", row, {"visited", "url", "title", "kind"});
}

TEST(Firefox, GivesVisitsSearchesAndDownloads) {
  const Outcome outcome = read_app("firefox", std::string(kFirefoxSchema) + R"(
CREATE TABLE moz_inputhistory (place_id INTEGER NOT NULL, input LONGVARCHAR NOT NULL, use_count INTEGER, PRIMARY KEY (place_id, input));
CREATE TABLE moz_anno_attributes (id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
CREATE TABLE moz_annos (id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER, mime_type VARCHAR(32) DEFAULT NULL, content LONGVARCHAR, flags INTEGER DEFAULT 0, expiration INTEGER DEFAULT 0, type INTEGER DEFAULT 0, dateAdded INTEGER DEFAULT 0, lastModified INTEGER DEFAULT 0);
INSERT INTO moz_places(id,url,title,last_visit_date) VALUES(1,'https://example.com/','Example',1700000000123456),(2,'https://example.com/a.zip',NULL,NULL);
INSERT INTO moz_historyvisits(id,place_id,visit_date,visit_type) VALUES(1,1,1700000000123456,1),(2,99,1700000001000000,1);
INSERT INTO moz_inputhistory VALUES(1,'exam',1);
INSERT INTO moz_anno_attributes VALUES(4,'downloads/destinationFileURI'),(5,'other');
INSERT INTO moz_annos(id,place_id,anno_attribute_id,content,dateAdded) VALUES(1,2,4,'file:///home/a/a.zip',1700000002000000),(2,2,5,'x',1700000002000000);
)",
                                   "/home/a/.mozilla/firefox/p.default/places.sqlite");
  EXPECT_EQ(by_row(outcome, "visit").size(), 4U);
  EXPECT_EQ(visit(outcome, "moz_historyvisits 1"),
            (Fields{"1700000000123456", "https://example.com/", "Example", "visit"}));
  EXPECT_EQ(visit(outcome, "moz_historyvisits 2"), (Fields{"1700000001000000", "NULL", "NULL", "visit"}));
  EXPECT_EQ(visit(outcome, "moz_inputhistory 1 exam"),
            (Fields{"1700000000123456", "https://example.com/", "exam", "search"}));
  EXPECT_EQ(visit(outcome, "moz_annos 1"),
            (Fields{"1700000002000000", "https://example.com/a.zip", "file:///home/a/a.zip", "download"}));
}

TEST(Firefox, GivesWhatWasTypedIntoForms) {
  const Outcome outcome = read_app("firefox", R"(
CREATE TABLE moz_formhistory (id INTEGER PRIMARY KEY, fieldname TEXT NOT NULL, value TEXT NOT NULL, timesUsed INTEGER, firstUsed INTEGER, lastUsed INTEGER, guid TEXT);
INSERT INTO moz_formhistory VALUES(1,'searchbar-history','how to',1,1700000000000000,1700000001000000,'g'),(2,'email','a@example.com',1,1700000002000000,0,'h');
)",
                                   "/home/a/.mozilla/firefox/p.default/formhistory.sqlite");
  EXPECT_EQ(visit(outcome, "moz_formhistory 1"), (Fields{"1700000001000000", "-", "how to", "search"}));
  EXPECT_EQ(visit(outcome, "moz_formhistory 2"),
            (Fields{"1700000002000000", "-", "email: a@example.com", "form"}));
}

// 721692800.5 s after 2001 is 2023-11-14T22:13:20.5Z.
TEST(Safari, GivesVisits) {
  const Outcome outcome = read_app("safari", std::string(kSafariSchema) + R"(
INSERT INTO history_items(id,url,visit_count,daily_visit_counts,should_recompute_derived_visit_counts,visit_count_score)
 VALUES(1,'https://example.com/',1,X'00',0,0);
INSERT INTO history_visits(id,history_item,visit_time,title) VALUES(5,1,721692800.5,'Example');
)",
                                   "/Users/a/Library/Safari/History.db");
  EXPECT_EQ(visit(outcome, "history_visits 5"),
            (Fields{"1700000000500000", "https://example.com/", "Example", "visit"}));
}

TEST(AndroidBrowser, GivesVisitsAndSearchesOfItsThirdGeneration) {
  const Outcome outcome = read_app("android_browser", R"(
CREATE TABLE history(_id INTEGER PRIMARY KEY AUTOINCREMENT,title TEXT,url TEXT NOT NULL,created INTEGER,date INTEGER,visits INTEGER NOT NULL DEFAULT 0,user_entered INTEGER);
CREATE TABLE searches (_id INTEGER PRIMARY KEY AUTOINCREMENT,search TEXT,date LONG);
INSERT INTO history VALUES(1,'News','https://example.com/news',1699990000000,1700000000000,3,0);
INSERT INTO searches VALUES(2,'train times',1700000060000);
)",
                                   "/data/data/com.android.browser/databases/browser2.db");
  EXPECT_EQ(fields(outcome, "visit", "history 1", {"visited", "url", "title", "kind"}),
            (Fields{"1700000000000000", "https://example.com/news", "News", "visit"}));
  EXPECT_EQ(fields(outcome, "visit", "searches 2", {"visited", "title", "kind"}),
            (Fields{"1700000060000000", "train times", "search"}));
}

TEST(AndroidBrowser, TakesNoBookmarkForAVisit) {
  const Outcome outcome = read_app("android_browser", R"(
CREATE TABLE bookmarks (_id INTEGER PRIMARY KEY,title TEXT,url TEXT,visits INTEGER,date LONG,created LONG,description TEXT,bookmark INTEGER,favicon BLOB DEFAULT NULL);
INSERT INTO bookmarks(_id,title,url,visits,date,bookmark) VALUES(1,'Seen','https://example.com/a',2,1300000000000,0),
 (2,'Kept and seen','https://example.com/b',1,1300000060000,1),(3,'Kept','https://example.com/c',0,0,1);
)",
                                   "/data/data/com.sec.android.app.sbrowser/databases/SBrowser.db");
  EXPECT_EQ(by_row(outcome, "visit").size(), 2U);
  EXPECT_EQ(fields(outcome, "visit", "bookmarks 2", {"visited", "title"}),
            (Fields{"1300000060000000", "Kept and seen"}));
}

TEST(AndroidBrowser, SaysThatOtherTablesOfSamsungsDatabaseAreUnknown) {
  const auto host = shipped_apps({"android_browser"});
  ASSERT_TRUE(host);
  const Outcome outcome = host->examine(
      database_item(made_database("CREATE TABLE PAGES(ID INTEGER PRIMARY KEY, NAME TEXT, ADDRESS TEXT);"),
                    "/data/data/com.sec.android.app.sbrowser/databases/SBrowser.db"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "unknown_schema");
}

}  // namespace
}  // namespace touchstone::test
