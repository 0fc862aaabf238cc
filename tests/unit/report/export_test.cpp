#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "casefile/sqlite.hpp"
#include "report/report.hpp"
#include "report/tables.hpp"
#include "temporary_folder.hpp"

namespace touchstone {
namespace {

using nlohmann::json;

// Row ids that no text and no number of the case could hold by chance.
constexpr std::int64_t kIdBase = 7'370'000'000;

std::string schema() {
  std::ifstream in(std::string(TOUCHSTONE_SOURCE_DIR) + "/lib/casefile/schema.sql");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The same small case; `reversed` gives its rows other ids and another order.
void make_case(const TemporaryFolder& folder, bool reversed) {
  Database db((folder.path() / "case.db").string(), Database::Mode::create);
  db.execute(schema());
  const auto id = [&](int n) { return kIdBase + (reversed ? 1000 - n * 7 : n); };
  std::vector<std::string> rows;
  rows.push_back(
      fmt::format("INSERT INTO exhibit(id,ref,role,path,format,metadata) "
                  "VALUES({},'ABC/1','suspect','/x.dd','raw','{{\"b\": 1, \"a\": 2}}')",
                  id(1)));
  rows.push_back(
      fmt::format("INSERT INTO volume(id,exhibit_id,slot,state,unit_id) VALUES({},{},'p1','read',{})", id(2),
                  id(1), id(90)));
  for (int n = 10; n < 20; ++n) {
    rows.push_back(
        fmt::format("INSERT INTO content(id,sha256,size,places) VALUES({},x'{:064x}',5,1)", id(n), n));
    rows.push_back(
        fmt::format("INSERT INTO "
                    "item_row(id,locator,exhibit_id,volume_id,parent_id,content_id,path,name,kind,allocated,"
                    "size,state,unit_id)"
                    " VALUES({0},'ABC/1:p1/{1};{1}',{2},{3},{4},{0},'/{1}','{1}','file',1,5,'examined',{5})",
                    id(n), n, id(1), id(2), n == 10 ? "NULL" : std::to_string(id(10)), id(91)));
    rows.push_back(fmt::format(
        "INSERT INTO "
        "message(id,key,item_id,app,recipients,body,sent,attachment_item_id,source_table,source_row,unit_id)"
        " VALUES({0},'m|{1}',{0},'sms','[\"+447700900123\"]','=body {1}',{1},{2},'sms','{1}',{3})",
        id(n), n, id(10), id(92)));
    rows.push_back(fmt::format(
        "INSERT INTO picture_row(id,content_id,width,latitude) VALUES({0},{0},{1},51.5)", id(n), n));
    rows.push_back(fmt::format(
        "INSERT INTO finding(id,content_id,item_id,plugin,rule,key,record_kind,record_id,record_key,unit_id)"
        " VALUES({0},{0},{0},'keywords','r','f|{1}','message',{0},'m|{1}',{2})",
        id(n), n, id(93)));
    rows.push_back(
        fmt::format("INSERT INTO lead(id,key,subject_kind,subject_id,item_id,lane,band,score,reasons,title) "
                    "VALUES({0},'l|{1}','{2}',{0},{0},"
                    "'towards','low',5,'[{{\"text\":\"t\",\"points\":5}}]','t')",
                    id(n), n,
                    n % 3 == 0   ? "message"
                    : n % 3 == 1 ? "content"
                                 : "item"));
    rows.push_back(fmt::format(
        "INSERT INTO attachment(id,message_id,ordinal,item_id,key) VALUES({0},{0},1,{0},'a|{1}')", id(n), n));
    rows.push_back(
        fmt::format("INSERT INTO problem(id,key,item_id,exhibit_id,kind,content_id,unit_id) "
                    "VALUES({0},'p|{1}',{0},{2},'crash',{0},{3})",
                    id(n), n, id(1), id(94)));
  }
  rows.push_back(fmt::format(
      "INSERT INTO search(id,exhibit_id,plugin,rule,hits) VALUES({},{},'keywords','none',0)", id(50), id(1)));
  rows.push_back(fmt::format(
      "INSERT INTO out_of_scope(id,exhibit_id,volume_slot,rule,items) VALUES({},{},'p1','path',3)", id(51),
      id(1)));
  rows.push_back(fmt::format(
      "INSERT INTO out_of_scope(id,exhibit_id,volume_slot,rule,items) VALUES({},{},'p1','path',4)", id(52),
      id(1)));
  if (reversed) std::reverse(rows.begin(), rows.end());
  db.execute("BEGIN");
  for (const auto& row : rows) db.execute(row);
  db.execute(
      "INSERT INTO run(started,settings,fingerprint,complete) "
      "VALUES(1,'{\"reference\":\"EXAMPLE/1\"}','f',1)");
  db.execute("COMMIT");
}

Status write(const TemporaryFolder& folder) {
  return write_report({folder.path().string(), {ReportFormat::html, ReportFormat::jsonl, ReportFormat::csv}});
}

std::map<std::string, std::string> files(const TemporaryFolder& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "report")) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(folder.path()).string();
    all[name] = folder.read(name);
  }
  return all;
}

std::vector<json> lines(const TemporaryFolder& folder, const std::string& table) {
  std::vector<json> rows;
  std::istringstream in(folder.read("report/" + table + ".jsonl"));
  for (std::string line; std::getline(in, line);) rows.push_back(json::parse(line));
  return rows;
}

TEST(Export, IsTheSameForTheSameCaseWhateverItsRowIds) {
  TemporaryFolder one, two;
  make_case(one, false);
  make_case(two, true);
  ASSERT_TRUE(write(one));
  ASSERT_TRUE(write(two));
  const auto first = files(one), second = files(two);
  ASSERT_GT(first.size(), 40U);
  for (const auto& [name, bytes] : first) EXPECT_EQ(bytes, second.at(name)) << name;
  EXPECT_EQ(first.size(), second.size());
}

TEST(Export, LetsNoRowIdOut) {
  TemporaryFolder folder;
  make_case(folder, false);
  ASSERT_TRUE(write(folder));
  for (const auto& [name, bytes] : files(folder))
    EXPECT_EQ(bytes.find("73700000"), std::string::npos) << name;
}

TEST(Export, WritesAFileForEveryPublicTable) {
  TemporaryFolder folder;
  Database((folder.path() / "case.db").string(), Database::Mode::create).execute(schema());
  ASSERT_TRUE(write(folder));
  // docs/case-database.md; `run` is about one run and stays inside.
  for (const char* table :
       {"exhibit", "volume",    "item",    "content", "message",  "attachment", "conversation",
        "call",    "contact",   "account", "person",  "location", "visit",      "picture",
        "video",   "document",  "finding", "lead",    "search",   "problem",    "decision",
        "plugin",  "rule_file", "event",   "note",    "damage"}) {
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "report" / (std::string(table) + ".jsonl"))) << table;
    const std::string csv = folder.read(std::string("report/") + table + ".csv");
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1) << table;
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "report/run.jsonl"));
}

TEST(Export, NamesWhatRowsReferTo) {
  TemporaryFolder folder;
  make_case(folder, false);
  ASSERT_TRUE(write(folder));
  const auto items = lines(folder, "item");
  ASSERT_EQ(items.size(), 10U);
  EXPECT_EQ(items[1]["locator"], "ABC/1:p1/11;11");
  EXPECT_EQ(items[1]["parent"], "ABC/1:p1/10;10");
  EXPECT_EQ(items[1]["exhibit"], "ABC/1");
  EXPECT_EQ(items[1]["volume"], "p1");
  EXPECT_EQ(items[1]["content"], std::string(62, '0') + "0b");
  const auto messages = lines(folder, "message");
  EXPECT_EQ(messages[2]["item"], "ABC/1:p1/12;12");
  EXPECT_EQ(messages[2]["attachment_item"], "ABC/1:p1/10;10");
  EXPECT_EQ(messages[2]["recipients"], json::array({"+447700900123"}));
  EXPECT_EQ(messages[2]["body"], "=body 12");
  const auto leads = lines(folder, "lead");
  EXPECT_EQ(leads[0]["subject"], std::string(62, '0') + "0a");
  EXPECT_EQ(leads[1]["subject"], "ABC/1:p1/11;11");
  EXPECT_EQ(leads[2]["subject"], "m|12");
  EXPECT_EQ(lines(folder, "attachment")[0]["message"], "m|10");
  EXPECT_EQ(lines(folder, "out_of_scope")[0]["items"], 7);
  EXPECT_NE(folder.read("report/message.csv").find(",'=body 12,"), std::string::npos);
}

TEST(Export, IsCanonicalJson) {
  TemporaryFolder folder;
  make_case(folder, false);
  ASSERT_TRUE(write(folder));
  for (const auto& table : report::exported_tables()) {
    std::istringstream in(folder.read("report/" + std::string(table.name) + ".jsonl"));
    // nlohmann::json sorts keys and writes no white space.
    for (std::string line; std::getline(in, line);) EXPECT_EQ(json::parse(line).dump(), line);
  }
  EXPECT_NE(folder.read("report/exhibit.jsonl").find(R"("metadata":{"a":2,"b":1})"), std::string::npos);
}

TEST(Export, WritesTheSameAgainOverWhatIsThere) {
  TemporaryFolder folder;
  make_case(folder, false);
  ASSERT_TRUE(write(folder));
  const auto first = files(folder);
  folder.write("report/data/items-77.js", "stale");
  ASSERT_TRUE(write(folder));
  EXPECT_EQ(files(folder), first);
}

TEST(Export, FailsWithAMessageWithoutADatabase) {
  TemporaryFolder folder;
  const auto missing = write(folder);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  folder.write("case.db", "this is no database, and long enough to be looked at as one");
  const auto broken = write(folder);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("case.db"), std::string::npos);
}

TEST(ReportFormats, AreReadFromTheCommandLine) {
  const auto formats = parse_report_formats("csv,html");
  ASSERT_TRUE(formats);
  EXPECT_EQ(*formats, (std::set<ReportFormat>{ReportFormat::html, ReportFormat::csv}));
  EXPECT_FALSE(parse_report_formats("html,pdf"));
  EXPECT_FALSE(parse_report_formats(""));
}

}  // namespace
}  // namespace touchstone
