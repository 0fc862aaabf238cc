#include "report/tables.hpp"

namespace touchstone::report {
namespace {

// Sub-queries by row id: one look-up in a B-tree a row, and no join that could multiply rows.
#define ITEM_OF(id) "(SELECT x.locator FROM item x WHERE x.id = " id ")"
#define EXHIBIT_OF(id) "(SELECT x.ref FROM exhibit x WHERE x.id = " id ")"
#define VOLUME_OF(id) "(SELECT x.slot FROM volume x WHERE x.id = " id ")"
#define CONTENT_OF(id) "(SELECT lower(hex(x.sha256)) FROM content x WHERE x.id = " id ")"

constexpr TableExport kTables[] = {
    {"exhibit",
     "SELECT ref, role, path, format, size, md5, sha1, sha256, stored_md5, stored_sha1, verified, metadata"
     " FROM exhibit ORDER BY ref",
     " metadata "},
    {"volume",
     "SELECT " EXHIBIT_OF("v.exhibit_id") " AS exhibit, slot, " VOLUME_OF(
         "v.parent_id") " AS parent,"
                        " offset, size, kind, filesystem, label, state, reason FROM volume v ORDER BY 1, 2, "
                        "offset",
     ""},
    {"item",
     "SELECT locator, " EXHIBIT_OF("i.exhibit_id") " AS exhibit, " VOLUME_OF(
         "i.volume_id") " AS volume,"
                        " " ITEM_OF("i.parent_id") " AS parent, sha256 AS content, path, name, kind, "
                                                   "allocated, size, created,"
                                                   " modified, accessed, changed, time_basis, media_type, "
                                                   "md5, sha1, sha256, state, reason, detail"
                                                   " FROM item i ORDER BY locator",
     " detail "},
    {"content",
     "SELECT lower(hex(sha256)) AS sha256, size, media_type, lower(hex(md5)) AS md5, lower(hex(sha1)) AS "
     "sha1,"
     " state, reason, places FROM content ORDER BY content.sha256",
     ""},
    {"message",
     "SELECT key, " ITEM_OF(
         "m.item_id") " AS item, app, account, conversation, thread, sent, received, time_basis,"
                      " direction, sender, recipients, body, " ITEM_OF(
                          "m.attachment_item_id") " AS attachment_item, status,"
                                                  " deleted, edited, recovered, source_table, source_row, "
                                                  "(SELECT x.key FROM message x WHERE x.id = m.folded_into) "
                                                  "AS copy_of "
                                                  "FROM message m ORDER BY key",
     " recipients "},
    {"message_gap",
     "SELECT (SELECT m.key FROM message m WHERE m.id = g.message_id) AS message, missing FROM message_gap g "
     "ORDER BY 1",
     ""},
    {"attachment",
     "SELECT key, coalesce(a.message_key, (SELECT m.key FROM message m WHERE m.id = a.message_id)) AS "
     "message,"
     " ordinal, " ITEM_OF(
         "a.item_id") " AS item, name, media_type, found, path FROM attachment a ORDER BY key",
     ""},
    {"conversation",
     "SELECT key, app, account, title, participants, first, last, messages, gaps FROM conversation ORDER BY "
     "key",
     " participants "},
    {"call",
     "SELECT key, " ITEM_OF(
         "c.item_id") " AS item, app, account, started, time_basis, duration_s, direction,"
                      " party, status, deleted, recovered, source_table, source_row FROM call c ORDER BY key",
     ""},
    {"contact",
     "SELECT key, " ITEM_OF(
         "c.item_id") " AS item, app, name, identifiers, recovered, source_table, source_row"
                      " FROM contact c ORDER BY key",
     " identifiers "},
    {"account",
     "SELECT key, " ITEM_OF(
         "a.item_id") " AS item, app, identifier, name, recovered, source_table, source_row"
                      " FROM account a ORDER BY key",
     ""},
    {"person", "SELECT key, name, role, identifiers, linked FROM person ORDER BY key",
     " identifiers linked "},
    {"location",
     "SELECT key, " ITEM_OF(
         "l.item_id") " AS item, taken, time_basis, latitude, longitude, accuracy_m, source,"
                      " recovered, source_table, source_row FROM location l ORDER BY key",
     ""},
    {"visit",
     "SELECT key, " ITEM_OF(
         "v.item_id") " AS item, app, visited, time_basis, url, title, kind, recovered, source_table,"
                      " source_row FROM visit v ORDER BY key",
     ""},
    {"event",
     "SELECT key, " ITEM_OF(
         "e.item_id") " AS item, app, account, calendar, title, starts, ends, all_day, time_basis, place,"
                      " organiser, participants, notes, repeats, created, modified, status, deleted, "
                      "recovered, source_table,"
                      " source_row FROM event e ORDER BY key",
     " participants "},
    {"note",
     "SELECT key, " ITEM_OF(
         "n.item_id") " AS item, app, account, folder, title, body, created, modified, time_basis, locked,"
                      " status, deleted, recovered, source_table, source_row FROM note n ORDER BY key",
     ""},
    {"picture",
     "SELECT key, " ITEM_OF("p.item_id") " AS item, width, height, taken, time_basis, camera, latitude,"
                                         " longitude, pdq, pdq_quality FROM picture p ORDER BY key",
     ""},
    {"video",
     "SELECT key, " ITEM_OF("v.item_id") " AS item, width, height, duration_s, taken, time_basis, camera"
                                         " FROM video v ORDER BY key",
     ""},
    {"document",
     "SELECT key, " ITEM_OF(
         "d.item_id") " AS item, title, author, language, characters FROM document d ORDER BY key",
     ""},
    {"finding",
     "SELECT key, " CONTENT_OF("f.content_id") " AS content, " ITEM_OF(
         "f.item_id") " AS item, record_kind,"
                      " record_key AS record, plugin, plugin_version, rule, category, confidence, title, "
                      "detail, position"
                      " FROM finding f ORDER BY key",
     ""},
    {"lead",
     "SELECT key, subject_kind, CASE l.subject_kind"
     "  WHEN 'message' THEN (SELECT x.key FROM message x WHERE x.id = l.subject_id)"
     "  WHEN 'conversation' THEN (SELECT x.key FROM conversation x WHERE x.id = l.subject_id)"
     "  WHEN 'call' THEN (SELECT x.key FROM call x WHERE x.id = l.subject_id)"
     "  WHEN 'contact' THEN (SELECT x.key FROM contact x WHERE x.id = l.subject_id)"
     "  WHEN 'account' THEN (SELECT x.key FROM account x WHERE x.id = l.subject_id)"
     "  WHEN 'location' THEN (SELECT x.key FROM location x WHERE x.id = l.subject_id)"
     "  WHEN 'visit' THEN (SELECT x.key FROM visit x WHERE x.id = l.subject_id)"
     "  WHEN 'event' THEN (SELECT x.key FROM event x WHERE x.id = l.subject_id)"
     "  WHEN 'note' THEN (SELECT x.key FROM note x WHERE x.id = l.subject_id)"
     "  WHEN 'content' THEN " CONTENT_OF("l.subject_id") "  ELSE coalesce(" ITEM_OF(
         "l.subject_id") ", " ITEM_OF("l.item_id") ") END AS subject,"
                                                   " " ITEM_OF(
                                                       "l.item_id") " AS item, lane, band, score, reasons, "
                                                                    "title, places FROM lead l ORDER BY key",
     " reasons "},
    {"search",
     "SELECT " EXHIBIT_OF(
         "s.exhibit_id") " AS exhibit, plugin, rule, rule_version, title, ran_over, hits, not_run,"
                         " reasons FROM search s ORDER BY 1, plugin, rule, rule_version, title",
     " reasons "},
    {"problem",
     "SELECT key, " ITEM_OF("p.item_id") " AS item, " EXHIBIT_OF(
         "p.exhibit_id") " AS exhibit,"
                         " " CONTENT_OF("p.content_id") " AS content, plugin, kind, message FROM problem p "
                                                        "ORDER BY key, kind, message",
     ""},
    {"damage",
     "SELECT " EXHIBIT_OF("d.exhibit_id") " AS exhibit, " ITEM_OF(
         "d.item_id") " AS item, offset, length, item_offset, reason FROM damage d ORDER BY 1, offset, item, "
                      "item_offset, length, reason",
     ""},
    {"decision",
     "SELECT subject_key, decision, note, who, at FROM decision ORDER BY subject_key, at, who, decision, "
     "note",
     ""},
    {"plugin",
     "SELECT name, version, summary, licence, roles, scope, sha256, state, reason FROM plugin ORDER BY name",
     ""},
    {"rule_file", "SELECT path, sha256, kind, id, version, title FROM rule_file ORDER BY path", ""},
    {"out_of_scope",
     "SELECT " EXHIBIT_OF(
         "o.exhibit_id") " AS exhibit, volume_slot AS volume, rule, sum(items) AS items"
                         " FROM out_of_scope o GROUP BY exhibit_id, volume_slot, rule ORDER BY 1, 2, 3",
     ""},
};

#undef ITEM_OF
#undef EXHIBIT_OF
#undef VOLUME_OF
#undef CONTENT_OF

}  // namespace

std::span<const TableExport> exported_tables() {
  return kTables;
}

}  // namespace touchstone::report
