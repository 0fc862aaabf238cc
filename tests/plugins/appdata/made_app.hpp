// App databases made with SQLite for tests of the appdata plugin.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {

/// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "touchstone-app-XXXXXX").string();
    if (mkdtemp(pattern.data())) path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::string& path) {
  return touchstone::test::contents_of(path);
}

inline void run_sql(sqlite3* db, const std::string& sql) {
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
}

/// The bytes of a database made by this SQL.
inline std::string made_database(const std::string& sql) {
  const Folder folder;
  sqlite3* db = nullptr;
  sqlite3_open(folder.path("made.db").c_str(), &db);
  run_sql(db, "PRAGMA synchronous=OFF");
  run_sql(db, sql);
  sqlite3_close(db);
  return read_text(folder.path("made.db"));
}

inline std::string settings_for(const std::vector<std::string>& files) {
  std::string list;
  for (const std::string& file : files) list += (list.empty() ? "\"" : ",\"") + file + "\"";
  return "{\"files\":[" + list + "]}";
}

/// A database at this place.
inline TestItem database_item(std::string bytes, std::string path) {
  TestItem item;
  item.bytes = std::move(bytes);
  item.media_type = "application/vnd.sqlite3";
  item.path = std::move(path);
  return item;
}

/// The plugin with definitions of this tree, named without folder and ending.
inline std::unique_ptr<PluginHost> shipped_apps(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  files.reserve(names.size());
  for (const std::string& name : names)
    files.push_back(TOUCHSTONE_SOURCE_DIR "/rules/apps/" + name + ".toml");
  return PluginHost::load("appdata", settings_for(files));
}

/// A field as text: "NULL" if it is there without a value, "-" if it is not there.
inline std::string field(const Record& record, std::string_view name) {
  const Value* value = record.find(name);
  if (!value) return "-";
  if (const auto* integer = std::get_if<std::int64_t>(value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(value)) return std::to_string(*real);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  return "NULL";
}

/// What was reported, a line each: shows itself where a test expects nothing.
inline std::string reported(const Outcome& outcome) {
  std::string lines;
  for (const auto& problem : outcome.problems) lines.append(problem.kind + ": " + problem.message + "\n");
  return lines;
}

/// Records of one kind by source table and row: "sms 1".
inline std::map<std::string, Record> by_row(const Outcome& outcome, std::string_view kind) {
  std::map<std::string, Record> result;
  for (const Record& record : outcome.records) {
    if (record.kind != kind) continue;
    const bool is_new =
        result.emplace(field(record, "source_table") + " " + field(record, "source_row"), record).second;
    EXPECT_TRUE(is_new) << record.key;
  }
  return result;
}

}  // namespace touchstone::test
