#include "unit/content_database/made_database.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "support/file_contents.hpp"

namespace touchstone::made {

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "touchstone-db-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Writer::Writer(const std::string& path) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("cannot make " + path);
  run("PRAGMA synchronous=OFF");  // no test pulls the plug
}

Writer::~Writer() {
  sqlite3_close(db_);
}

void Writer::run(const std::string& sql) {
  ASSERT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sql << ": " << sqlite3_errmsg(db_);
}

Bytes read_file(const std::string& path) {
  const std::string text = touchstone::test::contents_of(path);
  Bytes bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

Files Files::copy(const std::string& path) {
  Files result;
  result.main = make_memory_source(read_file(path));
  if (std::filesystem::exists(path + "-wal")) result.wal = make_memory_source(read_file(path + "-wal"));
  if (std::filesystem::exists(path + "-journal"))
    result.journal = make_memory_source(read_file(path + "-journal"));
  return result;
}

std::vector<std::string> rows(EvidenceDatabase& database, const std::string& sql,
                              const std::vector<Value>& parameters) {
  std::vector<std::string> result;
  auto query = database.query(sql, parameters);
  if (!query)
    return {"error " + std::to_string(static_cast<int>(query.error().code)) + ": " + query.error().message};
  for (;;) {
    auto more = (*query)->step();
    if (!more) {
      result.push_back("error " + std::to_string(static_cast<int>(more.error().code)) + ": " +
                       more.error().message);
      return result;
    }
    if (!*more) return result;
    std::string line;
    for (std::size_t column = 0; column < (*query)->columns(); ++column) {
      if (column > 0) line += '|';
      line +=
          (*query)->type(column) == EvidenceQuery::Type::null ? "NULL" : std::string((*query)->bytes(column));
    }
    result.push_back(line);
  }
}

std::string first(const Files& files, DatabaseState state, const std::string& sql,
                  const DatabaseLimits& limits) {
  auto database = EvidenceDatabase::open(files.files(), state, limits);
  if (!database) return "error " + database.error().message;
  const auto all = rows(**database, sql);
  return all.empty() ? "" : all.front();
}

}  // namespace touchstone::made
