// Coverage and method: what was looked at and how.
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

json rows_of(const Database& db, const std::string& sql,
             std::initializer_list<const char*> json_columns = {}) {
  Statement statement = db.prepare(sql);
  json rows = json::array();
  while (statement.step()) {
    json row = row_object(statement);
    for (const char* name : json_columns) {
      if (row.contains(name) && row[name].is_string()) row[name] = parsed(row[name].get<std::string>());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

json setting_value(const Database& db, const char* name) {
  Statement setting = db.prepare("SELECT value FROM setting WHERE name = ?1");
  setting.bind(1, name);
  return setting.step() ? parsed(setting.text(0)) : json();
}

/// Ranges of the exhibits with what lies in them: the first of each, and how many there are.
json damaged_ranges(const Database& db) {
  constexpr std::int64_t kMostRanges = 1000, kMostItems = 20;
  json ranges = json::array();
  Statement range = db.prepare(
      "SELECT e.ref AS exhibit, d.offset, d.length, d.reason, d.id FROM damage d JOIN exhibit e ON e.id = "
      "d.exhibit_id WHERE d.item_id IS NULL ORDER BY e.ref, d.offset LIMIT ?1");
  Statement item = db.prepare(
      "SELECT i.locator, min(t.item_offset), sum(t.length) FROM damage d JOIN damage t ON t.exhibit_id = "
      "d.exhibit_id AND t.item_id IS NOT NULL AND t.offset < d.offset + d.length AND d.offset < t.offset + "
      "t.length JOIN item_row i ON i.id = t.item_id WHERE d.id = ?1 GROUP BY i.id ORDER BY i.locator");
  range.bind(1, kMostRanges);
  while (range.step()) {
    json row = {{"exhibit", range.text(0)},
                {"offset", range.integer(1)},
                {"length", range.integer(2)},
                {"reason", range.text(3)}};
    json items = json::array();
    std::int64_t count = 0;
    item.reset();
    item.bind(1, range.integer(4));
    while (item.step()) {
      if (++count <= kMostItems)
        items.push_back({{"item", item.text(0)}, {"offset", item.integer(1)}, {"length", item.integer(2)}});
    }
    row["items"] = std::move(items);
    row["count"] = count;
    ranges.push_back(std::move(row));
  }
  return ranges;
}

}  // namespace

Status write_coverage(PageContext& page) {
  const json coverage = {
      {"states",
       rows_of(page.db,
               "SELECT e.ref AS exhibit, v.slot AS volume, i.state, count(*) AS items FROM item i"
               " LEFT JOIN exhibit e ON e.id = i.exhibit_id LEFT JOIN volume v ON v.id = i.volume_id"
               " GROUP BY i.exhibit_id, i.volume_id, i.state ORDER BY 1, 2, 3")},
      {"kinds", rows_of(page.db,
                        "SELECT e.ref AS exhibit, i.kind, i.allocated, count(*) AS items FROM item i"
                        " LEFT JOIN exhibit e ON e.id = i.exhibit_id GROUP BY i.exhibit_id, i.kind, "
                        "i.allocated ORDER BY 1, 2, 3")},
      {"volumes",
       rows_of(page.db,
               "SELECT e.ref AS exhibit, v.slot, p.slot AS parent, v.offset, v.size, v.kind, v.filesystem,"
               " v.label, v.state, v.reason FROM volume v LEFT JOIN exhibit e ON e.id = v.exhibit_id"
               " LEFT JOIN volume p ON p.id = v.parent_id ORDER BY e.ref, v.offset, v.slot")},
      {"problems",
       rows_of(page.db,
               "SELECT kind, plugin, count(*) AS problems FROM problem GROUP BY 1, 2 ORDER BY 1, 2")},
      {"damaged", damaged_ranges(page.db)},
      {"out_of_scope",
       rows_of(page.db,
               "SELECT e.ref AS exhibit, o.volume_slot AS volume, o.rule, sum(o.items) AS items"
               " FROM out_of_scope o LEFT JOIN exhibit e ON e.id = o.exhibit_id"
               " GROUP BY o.exhibit_id, o.volume_slot, o.rule ORDER BY 1, 2, 3")}};
  return write_chunk(page.data, "coverage", 0, coverage);
}

Status write_method(PageContext& page) {
  const json method = {
      {"runs",
       rows_of(
           page.db,
           "SELECT started, finished, version, command, operator, settings, fingerprint, components, complete"
           " FROM run ORDER BY id",
           {"settings", "components"})},
      {"plugins", rows_of(page.db,
                          "SELECT name, version, summary, licence, roles, scope, sha256, path, state, reason"
                          " FROM plugin ORDER BY name")},
      {"rules",
       rows_of(page.db, "SELECT path, sha256, kind, id, version, title FROM rule_file ORDER BY path")},
      {"exhibits",
       rows_of(page.db,
               "SELECT ref, role, path, format, size, md5, sha1, sha256, stored_md5, stored_sha1, verified,"
               " metadata FROM exhibit ORDER BY ref",
               {"metadata"})},
      {"missing_models",
       rows_of(page.db,
               "SELECT plugin, message, count(*) AS times FROM problem WHERE kind = 'model_missing'"
               " GROUP BY 1, 2 ORDER BY 1, 2")},
      {"sandbox_level", setting_value(page.db, "sandbox")},
      {"sandbox",
       rows_of(page.db, "SELECT DISTINCT message FROM problem WHERE kind = 'sandbox' ORDER BY 1 LIMIT 20")}};
  return write_chunk(page.data, "method", 0, method);
}

}  // namespace touchstone::report
