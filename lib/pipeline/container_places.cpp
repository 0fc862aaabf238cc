// What the coordinator asks of the case database before units are given out. Equal containers at very many
// places: the first thousand places by locator are opened, the rest counted.
#include <fmt/format.h>

#include "model/locator.hpp"
#include "pipeline/coordinator.hpp"

namespace touchstone {
namespace {

constexpr std::int64_t kMaxPlaces = 1000;
/// Databases that pages without their own may have come from.
constexpr std::int64_t kMaxKin = 32;

}  // namespace

void limit_container_places(CaseWriter& writer, int level) {
  Database& db = writer.database();
  const auto count = [&](const char* sql) {
    auto query = db.prepare(sql);
    query.bind(1, level);
    return query.step() ? query.integer(0) : 0;
  };
  // Nearly always: fewer groups in all than there may be places of one container.
  if (count("SELECT count(*) FROM unit WHERE level = ?1 AND state <> 2") <= kMaxPlaces) return;
  writer.begin();
  db.execute(
      "CREATE TEMP TABLE IF NOT EXISTS place(container INTEGER PRIMARY KEY, content INTEGER, locator TEXT)");
  db.execute("DELETE FROM temp.place");
  db.execute(
      "INSERT INTO temp.place SELECT DISTINCT c.id, c.content_id, c.locator FROM item_row m JOIN item_row c "
      "ON c.id = m.parent_id "
      "WHERE m.kind = 'member'");
  auto contents = db.prepare(
      "SELECT content, count(*) FROM temp.place GROUP BY content HAVING count(*) > ?1 ORDER BY content");
  contents.bind(1, kMaxPlaces);
  while (contents.step()) {
    const std::int64_t content = contents.integer(0), beyond = contents.integer(1) - kMaxPlaces;
    auto places =
        db.prepare("SELECT container FROM temp.place WHERE content = ?1 ORDER BY locator LIMIT -1 OFFSET ?2");
    places.bind(1, content).bind(2, kMaxPlaces);
    while (places.step()) {
      db.prepare(
            "DELETE FROM unit WHERE state <> 2 AND item_id IN (SELECT id FROM item_row WHERE parent_id = ?1)")
          .bind(1, places.integer(0))
          .run();
      db.prepare("DELETE FROM item_row WHERE parent_id = ?1").bind(1, places.integer(0)).run();
    }
    Problem problem;
    auto sha256 = db.prepare("SELECT lower(hex(sha256)) FROM content WHERE id = ?1");
    sha256.bind(1, content).step();
    problem.key = join_key({"problem", "content", "limit", sha256.text(0), "places"});
    problem.plugin = "content";
    problem.kind = ProblemKind::limit;
    problem.message =
        fmt::format("this container lies at {} places; its members are listed at the first {} of them",
                    beyond + kMaxPlaces, kMaxPlaces);
    db.prepare("DELETE FROM problem WHERE key = ?1").bind(1, problem.key).run();
    writer.add_problem(problem, 0, 0, content, 0);
  }
  writer.commit();
}

void add_kin(CaseWriter& writer, std::int64_t exhibit_id, wire::Unit& unit) {
  unit.clear_kin();
  auto query = writer.database().prepare(
      "SELECT u.spec FROM (SELECT DISTINCT unit_id, item_id FROM finding WHERE category = 'schema' AND "
      "plugin = "
      "'appdata') f JOIN unit u ON u.id = f.unit_id JOIN item_row i ON i.id = f.item_id "
      "WHERE u.exhibit_id = ?1 AND u.kind = ?2 ORDER BY i.allocated DESC, i.locator LIMIT ?3");
  query.bind(1, exhibit_id).bind(2, static_cast<int>(wire::UNIT_ITEM)).bind(3, kMaxKin);
  while (query.step())
    if (!unit.add_kin()->ParseFromString(query.blob(0))) unit.mutable_kin()->RemoveLast();
}

}  // namespace touchstone
