// Pictures and videos: one row a content, at its smallest locator, best leads first.
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {

namespace {

constexpr char kMediaSql[] = R"(
  CREATE TEMP TABLE page_media(kind TEXT, group_id INTEGER, content_id INTEGER, item_id INTEGER, locator TEXT, places INTEGER,
    width INTEGER, height INTEGER, duration_s REAL, taken INTEGER, time_basis TEXT, camera TEXT, latitude REAL, longitude REAL);
  INSERT INTO page_media SELECT 'picture', coalesce(i.content_id, -i.id), i.content_id, i.id, min(i.locator), count(*),
    p.width, p.height, NULL, p.taken, p.time_basis, p.camera, p.latitude, p.longitude
    FROM picture p JOIN item i ON i.id = p.item_id GROUP BY 2;
  INSERT INTO page_media SELECT 'video', coalesce(i.content_id, -i.id), i.content_id, i.id, min(i.locator), count(*),
    v.width, v.height, v.duration_s, v.taken, v.time_basis, v.camera, NULL, NULL
    FROM video v JOIN item i ON i.id = v.item_id GROUP BY 2;
  CREATE TEMP TABLE page_graded(content_id INTEGER PRIMARY KEY);
  INSERT OR IGNORE INTO page_graded SELECT content_id FROM finding WHERE plugin = 'hashes' AND content_id IS NOT NULL;)";

/// Why a picture or video has no rendition, as far as the case tells.
const char* no_preview(const PageContext& page, const Statement& media, bool is_lead) {
  if (media.text(0) == "video") return "No preview of videos";
  if (media.integer(21) != 0) return "No preview of what a hash set grades";
  const auto wanted = page.case_facts.find("previews");
  const std::string setting =
      wanted != page.case_facts.end() && wanted->is_string() ? wanted->get<std::string>() : "";
  if (setting == "none") return "No previews were asked for (--previews none)";
  if (setting == "leads" && !is_lead) return "No preview: made only for leads (--previews leads)";
  if (setting.empty()) return "No preview made";
  return "No preview: could not be decoded, or outside the scope";
}

}  // namespace

Status write_pictures(PageContext& page) {
  page.db.execute(kMediaSql);
  Statement media = page.db.prepare(R"(
    SELECT m.kind, m.locator, m.places, m.width AS w, m.height AS h, m.duration_s AS duration, m.taken, m.time_basis AS basis,
      m.camera, m.latitude, m.longitude, i.name, i.size, i.sha256, i.allocated, i.media_type AS type, e.ref AS exhibit,
      best.place AS lead, best.score, best.band, best.lane,
      EXISTS (SELECT 1 FROM page_graded g WHERE g.content_id = m.content_id) AS graded
    FROM page_media m JOIN item i ON i.id = m.item_id LEFT JOIN exhibit e ON e.id = i.exhibit_id
    LEFT JOIN page_lead best ON best.id = (SELECT l.id FROM page_lead l WHERE l.content_id = m.content_id
      AND l.id IN (SELECT x.id FROM lead x WHERE x.id = l.id AND x.subject_kind NOT IN ('message', 'conversation', 'call'))
      ORDER BY l.place LIMIT 1)
    ORDER BY best.place IS NULL, best.place, m.locator)");
  ChunkWriter writer(page.data, "pictures");
  while (media.step()) {
    nlohmann::json row = row_object(media);
    if (row.contains("sha256")) {
      if (auto preview = page.previews.find(row["sha256"].get<std::string>()); !preview.is_null())
        row["preview"] = preview;
    }
    if (!row.contains("preview")) row["why"] = no_preview(page, media, row.contains("lead"));
    row.erase("graded");
    writer.add(row);
  }
  return finish_dataset(page, "pictures", writer);
}

}  // namespace touchstone::report
