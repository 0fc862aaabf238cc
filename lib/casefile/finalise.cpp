#include "casefile/finalise.hpp"

#include <fmt/format.h>

#include "casefile/conversations.hpp"
#include "casefile/persons.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

// Made after the load: five times faster than before it.
constexpr const char* kIndexes = R"(
CREATE INDEX IF NOT EXISTS item_locator ON item_row(locator);
CREATE INDEX IF NOT EXISTS item_content ON item_row(content_id);
CREATE INDEX IF NOT EXISTS item_parent ON item_row(parent_id);
CREATE INDEX IF NOT EXISTS item_name ON item_row(exhibit_id, name);
CREATE INDEX IF NOT EXISTS content_md5 ON content(md5);
CREATE INDEX IF NOT EXISTS content_type ON content(media_type);
CREATE INDEX IF NOT EXISTS message_key ON message(key);
CREATE INDEX IF NOT EXISTS message_sent ON message(sent) WHERE sent IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_folded ON message(folded_into) WHERE folded_into IS NOT NULL;
CREATE INDEX IF NOT EXISTS attachment_message ON attachment(message_key);
CREATE INDEX IF NOT EXISTS call_key ON call(key);
CREATE INDEX IF NOT EXISTS contact_key ON contact(key);
CREATE INDEX IF NOT EXISTS account_key ON account(key);
CREATE INDEX IF NOT EXISTS location_key ON location(key);
CREATE INDEX IF NOT EXISTS visit_key ON visit(key);
CREATE INDEX IF NOT EXISTS event_key ON event(key);
CREATE INDEX IF NOT EXISTS note_key ON note(key);
CREATE INDEX IF NOT EXISTS picture_content ON picture_row(content_id);
CREATE INDEX IF NOT EXISTS video_content ON video_row(content_id);
CREATE INDEX IF NOT EXISTS document_content ON document_row(content_id);
CREATE INDEX IF NOT EXISTS finding_content ON finding(content_id);
CREATE INDEX IF NOT EXISTS finding_item ON finding(item_id);
CREATE INDEX IF NOT EXISTS finding_rule ON finding(plugin, rule);
CREATE INDEX IF NOT EXISTS finding_key ON finding(key);
CREATE INDEX IF NOT EXISTS problem_item ON problem(item_id);
CREATE INDEX IF NOT EXISTS problem_content ON problem(content_id);
CREATE INDEX IF NOT EXISTS damage_place ON damage(exhibit_id, offset);
CREATE INDEX IF NOT EXISTS damage_item ON damage(item_id);
CREATE INDEX IF NOT EXISTS unit_item ON unit(item_id, kind);
)";

// Of what is set for each message in between: to keep it up to date meanwhile takes longer than all else.
constexpr const char* kConversationIndex =
    "CREATE INDEX IF NOT EXISTS message_conversation ON message(conversation, sent)";

/// Contents without a place were met by a unit that was taken back.
void settle_contents(const Database& db) {
  db.execute("UPDATE content SET places = (SELECT count(*) FROM item_row i WHERE i.content_id = content.id)");
  for (const char* table : {"picture_row", "video_row", "document_row", "finding", "problem"}) {
    db.execute(
        fmt::format("DELETE FROM {} WHERE content_id IN (SELECT id FROM content WHERE places = 0)", table));
  }
  db.execute("DELETE FROM content WHERE places = 0");
  // Equal bytes at another place: what a plugin could not do there, it could not do here.
  db.execute(
      "UPDATE item_row SET state = c.state, reason = c.reason FROM content c WHERE c.id = "
      "item_row.content_id "
      "AND item_row.state = 'examined' AND c.state IN ('partly_examined', 'encrypted')");
  // Whatever left a problem left the item short, also where only some plugins ran again.
  db.execute(
      "UPDATE item_row SET state = 'partly_examined', reason = (SELECT p.plugin || ': ' || p.message FROM "
      "problem p WHERE "
      "p.item_id = item_row.id OR p.content_id = item_row.content_id ORDER BY p.key LIMIT 1) WHERE state = "
      "'examined' AND "
      "kind <> 'directory' AND (id IN (SELECT item_id FROM problem) OR content_id IN (SELECT content_id FROM "
      "problem))");
  // A problem of bytes is shown at their smallest locator.
  db.execute(
      "UPDATE problem SET item_id = (SELECT i.id FROM item_row i WHERE i.content_id = problem.content_id "
      "ORDER BY i.locator LIMIT 1), "
      "exhibit_id = (SELECT i.exhibit_id FROM item_row i WHERE i.content_id = problem.content_id ORDER BY "
      "i.locator LIMIT 1) "
      "WHERE content_id IS NOT NULL");
}

void settle_volumes(const Database& db) {
  db.execute(
      "UPDATE volume SET state = 'partly_read', reason = 'some directories could not be listed whole' WHERE "
      "state = 'read' AND EXISTS "
      "(SELECT 1 FROM item_row i WHERE i.volume_id = volume.id AND i.kind = 'directory' AND i.state NOT IN "
      "('examined', 'pending'))");
}

void link_records(const Database& db) {
  for (const char* kind : {"message", "call", "contact", "account", "location", "visit", "event", "note"}) {
    db.execute(
        fmt::format("UPDATE finding SET record_id = (SELECT r.id FROM {0} r WHERE r.key = "
                    "finding.record_key) WHERE record_kind = '{0}'",
                    kind));
  }
  db.execute(
      "UPDATE attachment SET message_id = (SELECT m.id FROM message m WHERE m.key = attachment.message_key)");
}

/// How many path components two paths share, counted from their ends.
int common_tail(const std::string& a, const std::string& b) {
  int components = 0;
  std::size_t i = a.size(), j = b.size();
  while (i > 0 && j > 0 && a[i - 1] == b[j - 1]) {
    --i, --j;
    if (a[i] == '/') ++components;
  }
  const bool whole = (i == 0 || a[i - 1] == '/' || a[i] == '/') && (j == 0 || b[j - 1] == '/' || b[j] == '/');
  return components + (whole && (i == 0 || j == 0) && i < a.size() && a[i] != '/' ? 1 : 0);
}

/// Attachments name a path as the app stores it, often from a storage root that has another name on the disk:
/// the item of the same exhibit that shares the longest tail of the path is taken, if it shares the name and
/// one folder above it. A member of the item that names it, such as an attachment in a mail, is taken first.
void link_attachments(const Database& db) {
  db.execute("UPDATE attachment SET item_id = NULL, found = NULL");
  db.execute("UPDATE message SET attachment_item_id = NULL WHERE attachment_item_id IS NOT NULL");
  auto attachments = db.prepare(
      "SELECT a.id, a.path, i.exhibit_id, i.id FROM attachment a JOIN item_row i ON i.id = a.source_item_id "
      "WHERE a.path IS NOT NULL");
  auto member = db.prepare(
      "SELECT id FROM item_row WHERE exhibit_id = ?1 AND name = ?2 AND parent_id = ?3 AND path = ?4 ORDER BY "
      "locator LIMIT 1");
  auto candidates = db.prepare(
      "SELECT id, path FROM item_row WHERE exhibit_id = ?1 AND name = ?2 AND kind <> 'directory' ORDER BY "
      "locator LIMIT 200");
  auto update = db.prepare("UPDATE attachment SET item_id = ?2, found = ?3 WHERE id = ?1");
  while (attachments.step()) {
    const std::string path = escape_path(attachments.text(1));
    const std::string name = to_valid_utf8(attachments.text(1)).substr(attachments.text(1).rfind('/') + 1);
    std::int64_t best = 0;
    int best_tail = path.find('/') == std::string::npos ? 0 : 1;
    member.bind(1, attachments.integer(2)).bind(2, name).bind(3, attachments.integer(3)).bind(4, "/" + path);
    const bool inside = member.step();
    if (inside) best = member.integer(0);
    member.reset();
    candidates.bind(1, attachments.integer(2)).bind(2, name);
    while (!inside && candidates.step()) {
      const int tail = common_tail(candidates.text(1), path);
      if (tail > best_tail) best = candidates.integer(0), best_tail = tail;
    }
    candidates.reset();
    update.bind(1, attachments.integer(0)).bind(3, best ? 1 : 0);
    best ? update.bind(2, best) : update.bind_null(2);
    update.run();
  }
  db.execute("UPDATE attachment SET found = 0 WHERE found IS NULL");
  db.execute(
      "UPDATE message SET attachment_item_id = (SELECT a.item_id FROM attachment a WHERE a.message_key = "
      "message.key "
      "ORDER BY a.ordinal, a.key LIMIT 1) WHERE key IN (SELECT message_key FROM attachment WHERE found = 1)");
}

/// One row a rule and exhibit, also without a hit.
void make_searches(const Database& db) {
  db.execute("DELETE FROM search");
  db.execute(
      "CREATE TEMP TABLE hit AS SELECT i.exhibit_id, f.plugin, f.rule, count(DISTINCT f.id) AS hits FROM "
      "finding f "
      "JOIN item_row i ON i.id = f.item_id OR (f.item_id IS NULL AND i.content_id = f.content_id) GROUP BY "
      "1, 2, 3");
  db.execute(
      "INSERT INTO search(exhibit_id, plugin, rule, rule_version, title, ran_over, hits, not_run, reasons) "
      "SELECT e.id, d.plugin, d.rule, d.version, d.title, coalesce(p.ran, 0), coalesce(h.hits, 0), "
      "coalesce(p.not_run, 0), "
      "CASE WHEN g.state NOT IN ('ran', 'chosen') THEN coalesce(nullif(g.reason, ''), g.state) WHEN "
      "p.not_run > 0 THEN 'left out after it failed twice' END "
      "FROM declared_rule d CROSS JOIN exhibit e LEFT JOIN plugin_run p ON p.plugin = d.plugin AND "
      "p.exhibit_id = e.id "
      "LEFT JOIN hit h ON h.plugin = d.plugin AND h.rule = d.rule AND h.exhibit_id = e.id LEFT JOIN plugin g "
      "ON g.name = d.plugin "
      "ORDER BY e.ref, d.plugin, d.rule");
  db.execute("DROP TABLE hit");
}

}  // namespace

void finalise_case(CaseWriter& writer) {
  Database& db = writer.database();
  writer.commit();
  writer.begin();
  db.execute(kIndexes);
  settle_contents(db);
  settle_volumes(db);
  link_records(db);
  link_attachments(db);
  fold_copies(db);
  db.execute("DROP INDEX IF EXISTS message_conversation");
  make_conversations(db);
  db.execute(kConversationIndex);
  link_persons(db);
  make_searches(db);
  writer.set_setting("finalised", "1");
  writer.commit();
  writer.reload();  // contents without a place are gone
}

std::vector<StateCount> state_counts(const Database& db) {
  std::vector<StateCount> counts;
  auto query = db.prepare(
      "SELECT e.ref, i.state, count(*) FROM item_row i JOIN exhibit e ON e.id = i.exhibit_id GROUP BY 1, 2 "
      "ORDER BY 1, 2");
  while (query.step()) counts.push_back({query.text(0), query.text(1), query.integer(2)});
  return counts;
}

Completeness completeness(const Database& db) {
  const auto count = [&](const char* sql) {
    auto query = db.prepare(sql);
    return query.step() ? query.integer(0) : 0;
  };
  Completeness result;
  result.units_open = count("SELECT count(*) FROM unit WHERE state <> 2");
  // A carved fragment is all that is left of a file: that it is damaged is what was found, not what was
  // missed.
  result.items_short = count(
      "SELECT count(*) FROM item_row WHERE state NOT IN ('examined', 'pending') AND NOT (kind = 'carved' AND "
      "state = 'partly_examined')");
  result.volumes_not_read = count("SELECT count(*) FROM volume WHERE state NOT IN ('read', 'unallocated')");
  result.plugins_absent = count("SELECT count(*) FROM plugin WHERE state NOT IN ('ran', 'left_out')");
  result.exhibits_bad = count(
      "SELECT count(*) FROM exhibit e WHERE verified = 0 OR size IS NULL OR EXISTS (SELECT 1 FROM problem p "
      "WHERE p.exhibit_id = e.id AND p.item_id IS NULL AND p.plugin = 'evidence' AND p.kind <> "
      "'unsupported')");
  result.exhibits_short = count(
      "SELECT count(*) FROM exhibit e WHERE size IS NOT NULL AND EXISTS (SELECT 1 FROM problem p WHERE "
      "p.exhibit_id = e.id AND p.item_id IS NULL AND p.plugin = 'evidence' AND p.kind = 'unsupported')");
  return result;
}

}  // namespace touchstone
