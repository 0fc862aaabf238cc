// The book of units of work, in the case database.
#include <fmt/format.h>

#include "casefile/case_writer.hpp"

namespace touchstone {
namespace {

// Tables whose rows carry unit_id.
constexpr const char* kUnitTables[] = {"volume",  "message",  "attachment", "call",        "contact",
                                       "account", "location", "visit",      "event",       "note",
                                       "finding", "problem",  "damage",     "out_of_scope"};

}  // namespace

std::int64_t CaseWriter::add_unit(const UnitRow& unit) {
  statement(
      "INSERT INTO unit(exhibit_id, kind, level, priority, state, item_id, charges, spec) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")
      .bind(1, unit.exhibit_id)
      .bind(2, unit.kind)
      .bind(3, unit.level)
      .bind(4, unit.priority)
      .bind(5, static_cast<int>(unit.state))
      .bind(6, unit.item_id)
      .bind(7, unit.charges)
      .bind_blob(8, unit.spec)
      .run();
  return db_.last_insert_id();
}

std::optional<UnitRow> CaseWriter::find_unit(std::int64_t id) {
  Statement& query = statement(
      "SELECT exhibit_id, kind, level, priority, state, item_id, charges, spec FROM unit WHERE id = ?1");
  query.bind(1, id);
  std::optional<UnitRow> row;
  if (query.step()) {
    row = UnitRow{id,
                  query.integer(0),
                  static_cast<int>(query.integer(1)),
                  static_cast<int>(query.integer(2)),
                  query.integer(3),
                  static_cast<UnitState>(query.integer(4)),
                  query.integer(5),
                  query.text(6),
                  query.blob(7)};
  }
  query.reset();
  return row;
}

void CaseWriter::set_unit_state(std::int64_t id, UnitState state) {
  statement("UPDATE unit SET state = ?2 WHERE id = ?1").bind(1, id).bind(2, static_cast<int>(state)).run();
}

void CaseWriter::set_unit(std::int64_t id, UnitState state, std::string_view charges, std::string_view spec) {
  statement("UPDATE unit SET state = ?2, charges = ?3, spec = ?4 WHERE id = ?1")
      .bind(1, id)
      .bind(2, static_cast<int>(state))
      .bind(3, charges)
      .bind_blob(4, spec)
      .run();
}

void CaseWriter::each_open_unit(
    const std::function<void(std::int64_t, int, std::int64_t, UnitState)>& each) const {
  auto query = db_.prepare("SELECT id, level, priority, state FROM unit WHERE state <> 2 ORDER BY id");
  while (query.step()) {
    each(query.integer(0), static_cast<int>(query.integer(1)), query.integer(2),
         static_cast<UnitState>(query.integer(3)));
  }
}

void CaseWriter::take_back(std::int64_t unit_id) {
  for (const char* table : kUnitTables) {
    db_.prepare(fmt::format("DELETE FROM {} WHERE unit_id = ?1", table)).bind(1, unit_id).run();
  }
  // Contents that it analysed are to be analysed again.
  for (const char* table : {"picture_row", "video_row", "document_row"}) {
    db_.prepare(fmt::format("DELETE FROM {} WHERE content_id IN (SELECT id FROM content WHERE unit_id = ?1)",
                            table))
        .bind(1, unit_id)
        .run();
  }
  db_.prepare("UPDATE content SET state = NULL, reason = NULL, unit_id = NULL WHERE unit_id = ?1")
      .bind(1, unit_id)
      .run();
  if (db_.changes() > 0) reload();
  db_.prepare("DELETE FROM unit WHERE id <> ?1 AND item_id IN (SELECT id FROM item_row WHERE unit_id = ?1)")
      .bind(1, unit_id)
      .run();
  db_.prepare("DELETE FROM item_row WHERE unit_id = ?1").bind(1, unit_id).run();
  mark_partial(unit_id, false);
}

std::vector<std::int64_t> CaseWriter::partial_units() const {
  std::vector<std::int64_t> ids;
  auto query = db_.prepare(
      "SELECT CAST(substr(name, 9) AS INTEGER) FROM setting WHERE name GLOB 'partial:*' ORDER BY 1");
  while (query.step()) ids.push_back(query.integer(0));
  return ids;
}

void CaseWriter::mark_partial(std::int64_t unit_id, bool partial) {
  const std::string name = "partial:" + std::to_string(unit_id);
  if (partial) {
    set_setting(name, "1");
  } else {
    statement("DELETE FROM setting WHERE name = ?1").bind(1, name).run();
  }
}

}  // namespace touchstone
