// Calendar entries and notes, in the order of their time, those without one at the end.
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

constexpr std::size_t kParticipantsNamed = 20;

// Columns that only one of the two has are NULL of the other. The names are those of web/src/types.ts.
constexpr char kDiarySql[] =
    "WITH led(kind, id, place) AS MATERIALIZED (SELECT l.subject_kind, l.subject_id, min(p.place) FROM "
    "page_lead p JOIN lead l ON l.id = p.id WHERE l.subject_kind IN ('event', 'note') GROUP BY 1, 2),"
    " diary AS (SELECT 'event' AS kind, id, key, item_id, app, account, calendar AS folder, title, notes AS "
    "body, starts, ends, all_day, created, modified, time_basis, place, organiser, participants, repeats, "
    "NULL "
    "AS locked, status, deleted, recovered, source_table, source_row, starts AS time FROM event UNION ALL"
    " SELECT 'note', id, key, item_id, app, account, folder, title, body, NULL, NULL, NULL, created, "
    "modified, "
    "time_basis, NULL, NULL, NULL, NULL, locked, status, deleted, recovered, source_table, source_row, "
    "coalesce(modified, created) FROM note)"
    " SELECT d.kind, e.ref AS exhibit, d.app, d.account, d.folder, d.title, d.body, d.starts, d.ends, "
    "d.all_day, "
    "d.created, d.modified, d.time_basis, d.place, d.organiser, d.participants, d.repeats, d.locked, "
    "d.status, "
    "d.deleted, d.recovered, i.locator, d.source_table, d.source_row, led.place AS lead, i.exhibit_id"
    " FROM diary d LEFT JOIN item_row i ON i.id = d.item_id LEFT JOIN exhibit e ON e.id = i.exhibit_id"
    " LEFT JOIN led ON led.kind = d.kind AND led.id = d.id ORDER BY d.time IS NULL, d.time, d.key";

/// {"id": …, "name": …, "role": …} of somebody, without what is not known.
json person(PageContext& page, std::int64_t exhibit, const std::string& identifier, const std::string& app) {
  json one = party(page, exhibit, identifier, app);
  if (!one.is_object()) one = json::object();
  one["id"] = page_text(identifier);
  return one;
}

}  // namespace

Status write_diary(PageContext& page) {
  Statement entry = page.db.prepare(kDiarySql);
  ChunkWriter writer(page.data, "diary");
  while (entry.step()) {
    json row = row_object(entry);
    const std::int64_t exhibit = row.value("exhibit_id", std::int64_t{0});
    row.erase("exhibit_id");
    const std::string app = row.value("app", std::string());
    if (row.contains("organiser"))
      row["organiser"] = person(page, exhibit, row["organiser"].get<std::string>(), app);
    if (row.contains("participants")) {
      const json all = parsed(row["participants"].get<std::string>());
      row.erase("participants");
      json named = json::array();
      for (const json& one : all.is_array() ? all : json::array())
        if (one.is_string() && named.size() < kParticipantsNamed)
          named.push_back(person(page, exhibit, one.get<std::string>(), app));
      if (!named.empty()) row["participants"] = std::move(named);
      if (all.is_array() && all.size() > kParticipantsNamed) row["participants_all"] = all.size();
    }
    writer.add(row);
  }
  return finish_dataset(page, "diary", writer);
}

}  // namespace touchstone::report
