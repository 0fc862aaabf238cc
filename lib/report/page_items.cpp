// Items, problems and searches: the long lists of the page.
#include <map>
#include <tuple>

#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {

namespace {

using RecordCounts = std::map<std::tuple<std::int64_t, std::string, std::string>, std::int64_t>;

/// Records by exhibit, plugin and app.
RecordCounts count_records(const Database& db) {
  RecordCounts counts;
  for (const char* table : {"message", "call", "contact", "account", "visit", "event", "note"}) {
    Statement record =
        db.prepare("SELECT i.exhibit_id, coalesce(r.plugin, ''), coalesce(r.app, ''), count(*) FROM " +
                   std::string(table) + " r JOIN item_row i ON i.id = r.item_id GROUP BY 1, 2, 3");
    while (record.step()) counts[{record.integer(0), record.text(1), record.text(2)}] += record.integer(3);
  }
  // A location has no column for its app; its key names it: location|locator|app|…
  Statement location = db.prepare(
      "SELECT i.exhibit_id, coalesce(r.plugin, ''), r.key FROM location r JOIN item_row i ON i.id = "
      "r.item_id");
  while (location.step()) {
    const std::string key = location.text(2);
    const std::size_t from = key.find('|', key.find('|') + 1);
    if (from == std::string::npos) continue;
    const std::size_t to = key.find('|', from + 1);
    if (to != std::string::npos)
      ++counts[{location.integer(0), location.text(1), key.substr(from + 1, to - from - 1)}];
  }
  return counts;
}

}  // namespace

Status write_items(PageContext& page) {
  // Arrays, not objects: a million names are most of the report's size. The order is that of
  // web/src/items.ts.
  Statement item = page.db.prepare(
      "SELECT locator, state, kind, size, allocated, media_type, modified, time_basis, sha256, md5, name, "
      "reason"
      " FROM item ORDER BY locator");
  ChunkWriter writer(page.data, "items");
  while (item.step()) {
    nlohmann::json row = nlohmann::json::array();
    for (int i = 0; i < item.columns(); ++i) row.push_back(cell(item, i));
    while (!row.empty() && row.back().is_null()) row.erase(row.size() - 1);
    writer.add(row);
  }
  return finish_dataset(page, "items", writer);
}

Status write_problems_and_searches(PageContext& page) {
  Statement problem = page.db.prepare(
      "SELECT p.key, coalesce(e.ref, x.ref) AS exhibit, i.locator AS item, lower(hex(c.sha256)) AS content, "
      "p.plugin,"
      " p.kind, p.message FROM problem p LEFT JOIN item i ON i.id = p.item_id LEFT JOIN exhibit e ON e.id = "
      "p.exhibit_id"
      " LEFT JOIN exhibit x ON x.id = i.exhibit_id LEFT JOIN content c ON c.id = p.content_id"
      " ORDER BY p.kind, 2, i.locator, p.key, p.message");
  ChunkWriter problems(page.data, "problems");
  while (problem.step()) {
    auto row = row_object(problem);
    if (row.value("content", std::string()).empty()) row.erase("content");
    problems.add(row);
  }
  if (auto status = finish_dataset(page, "problems", problems); !status) return status;

  Statement search = page.db.prepare(
      "SELECT e.ref AS exhibit, s.plugin, s.rule, s.rule_version AS version, s.title, s.ran_over, s.hits, "
      "s.not_run,"
      " s.reasons, s.exhibit_id, s.plugin IN (" +
      kRecordPlugins +
      ") AS for_records FROM search s LEFT JOIN exhibit e ON e.id = s.exhibit_id"
      " ORDER BY coalesce(s.ran_over, 0) = 0, s.hits IS NULL, s.hits DESC, s.plugin, s.rule, 1, s.title");
  RecordCounts records = count_records(page.db);
  ChunkWriter searches(page.data, "searches");
  while (search.step()) {
    auto row = row_object(search);
    row.erase("exhibit_id");
    row.erase("for_records");
    if (search.integer(10) != 0)
      row["records"] = records[{search.integer(9), search.text(1), search.text(2)}];
    if (row.contains("reasons")) row["reasons"] = parsed(row["reasons"].get<std::string>());
    searches.add(row);
  }
  return finish_dataset(page, "searches", searches);
}

}  // namespace touchstone::report
