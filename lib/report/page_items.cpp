// Items, problems and searches: the long lists of the page.
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {

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
      " s.reasons FROM search s LEFT JOIN exhibit e ON e.id = s.exhibit_id"
      " ORDER BY s.hits IS NULL, s.hits DESC, s.plugin, s.rule, 1, s.title");
  ChunkWriter searches(page.data, "searches");
  while (search.step()) {
    auto row = row_object(search);
    if (row.contains("reasons")) row["reasons"] = parsed(row["reasons"].get<std::string>());
    searches.add(row);
  }
  return finish_dataset(page, "searches", searches);
}

}  // namespace touchstone::report
