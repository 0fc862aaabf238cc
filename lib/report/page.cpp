#include "report/page.hpp"

#include "report/output.hpp"
#include "report/page_assets.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

namespace fs = std::filesystem;

// Nothing but scripts and styles from beside the page and the renditions inside its data: no request can
// leave. `file:` is named because some browsers do not count it as 'self'.
constexpr char kIndex[] = R"(<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Touchstone report</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page/report.css">
</head>
<body>
<noscript>This report needs JavaScript, which is switched off in this browser. The same results are in the .csv and .jsonl files beside this page.</noscript>
<div id="page"></div>
<script src="page/report.js" charset="utf-8"></script>
</body>
</html>
)";

void make_lead_places(const Database& db) {
  db.execute(R"(
    CREATE TEMP TABLE page_lead(id INTEGER PRIMARY KEY, place INTEGER, content_id INTEGER, item_id INTEGER, score INTEGER,
      band TEXT, lane TEXT);
    INSERT INTO page_lead SELECT l.id, row_number() OVER (ORDER BY l.score DESC, l.key) - 1,
      CASE WHEN l.subject_kind = 'content' THEN coalesce(i.content_id, l.subject_id) ELSE i.content_id END,
      l.item_id, l.score, l.band, l.lane FROM lead l LEFT JOIN item i ON i.id = l.item_id;
    CREATE INDEX temp.page_lead_content ON page_lead(content_id);
    CREATE TEMP TABLE page_place(content_id INTEGER, locator TEXT, PRIMARY KEY(content_id, locator)) WITHOUT ROWID;
    INSERT OR IGNORE INTO page_place SELECT content_id, locator FROM item
      WHERE content_id IN (SELECT p.content_id FROM page_lead p JOIN lead l ON l.id = p.id WHERE l.places > 1);
    CREATE TEMP TABLE page_finding(key TEXT PRIMARY KEY, id INTEGER) WITHOUT ROWID;
    INSERT OR IGNORE INTO page_finding SELECT key, id FROM finding ORDER BY key, id;
    CREATE TEMP TABLE page_message_lead(message_id INTEGER PRIMARY KEY, place INTEGER);
    INSERT OR IGNORE INTO page_message_lead SELECT l.subject_id, p.place FROM lead l JOIN page_lead p ON p.id = l.id
      WHERE l.subject_kind = 'message' AND l.subject_id IS NOT NULL ORDER BY p.place;
    CREATE TEMP TABLE page_conversation_lead(conversation_id INTEGER PRIMARY KEY, place INTEGER);
    INSERT OR IGNORE INTO page_conversation_lead SELECT l.subject_id, p.place FROM lead l JOIN page_lead p ON p.id = l.id
      WHERE l.subject_kind = 'conversation' AND l.subject_id IS NOT NULL ORDER BY p.place;
    CREATE TEMP TABLE page_conversation_lane(conversation_id INTEGER, lane TEXT, place INTEGER,
      PRIMARY KEY(conversation_id, lane)) WITHOUT ROWID;
    INSERT OR IGNORE INTO page_conversation_lane SELECT l.subject_id, l.lane, p.place FROM lead l JOIN page_lead p ON p.id = l.id
      WHERE l.subject_kind = 'conversation' AND l.subject_id IS NOT NULL ORDER BY p.place;)");
}

void make_message_places(const Database& db) {
  // CROSS: messages are read in the order in which they lie, and not found one by one by their chat.
  // A chat is what one device's app calls one conversation. Messages of one chat lie together, in order of
  // time.
  db.execute(R"(
    CREATE TEMP TABLE page_chat(chat INTEGER PRIMARY KEY, exhibit_id INTEGER, app TEXT, account TEXT, name TEXT,
      conversation_id INTEGER, from_place INTEGER, messages INTEGER, first INTEGER, last INTEGER, assumed INTEGER,
      deleted INTEGER, recovered INTEGER);
    INSERT INTO page_chat(exhibit_id, app, account, name, messages, first, last, assumed, deleted, recovered)
      SELECT i.exhibit_id, m.app, m.account, m.conversation, count(*), min(coalesce(m.sent, m.received)),
        max(coalesce(m.sent, m.received)), max(m.time_basis IS 'assumed'), sum(m.deleted IS 1), sum(m.recovered IS 1)
      FROM message m LEFT JOIN item i ON i.id = m.item_id WHERE m.folded_into IS NULL GROUP BY 1, 2, 3, 4
      ORDER BY max(coalesce(m.sent, m.received)) DESC, m.app, m.account, m.conversation, min(m.key);
    CREATE TEMP TABLE page_conversation AS SELECT id, key, app, account, title FROM conversation ORDER BY key;
    CREATE INDEX temp.page_conversation_key ON page_conversation(key);
    CREATE INDEX temp.page_conversation_title ON page_conversation(title);
    UPDATE page_chat SET conversation_id = coalesce(
      (SELECT c.id FROM page_conversation c WHERE c.key = page_chat.name LIMIT 1),
      (SELECT c.id FROM page_conversation c WHERE c.title = page_chat.name AND c.app IS page_chat.app
        AND c.account IS page_chat.account ORDER BY c.key LIMIT 1));
    INSERT INTO page_chat(app, account, name, conversation_id, messages, first, last, deleted, recovered)
      SELECT app, account, title, id, 0, NULL, NULL, 0, 0 FROM page_conversation
      WHERE id NOT IN (SELECT conversation_id FROM page_chat WHERE conversation_id IS NOT NULL) ORDER BY key;
    UPDATE page_chat SET from_place = w.place FROM (SELECT chat, sum(messages) OVER (ORDER BY chat) - messages AS place
      FROM page_chat) w WHERE w.chat = page_chat.chat;
    CREATE INDEX temp.page_chat_conversation ON page_chat(conversation_id);
    CREATE INDEX temp.page_chat_name ON page_chat(exhibit_id, app, account, name);
    CREATE TEMP TABLE page_message(place INTEGER PRIMARY KEY, id INTEGER, chat INTEGER);
    INSERT INTO page_message SELECT row_number() OVER (ORDER BY c.chat, coalesce(m.sent, m.received), m.key) - 1, m.id, c.chat
      FROM message m LEFT JOIN item_row i ON i.id = m.item_id CROSS JOIN page_chat c ON c.exhibit_id IS i.exhibit_id AND
      c.app IS m.app AND c.account IS m.account AND c.name IS m.conversation WHERE m.folded_into IS NULL;
    CREATE INDEX temp.page_message_id ON page_message(id);
    CREATE TEMP TABLE page_attachment(message_id INTEGER, ordinal INTEGER, key TEXT, item_id INTEGER, name TEXT,
      media_type TEXT, found INTEGER, PRIMARY KEY(message_id, ordinal, key)) WITHOUT ROWID;
    INSERT OR IGNORE INTO page_attachment SELECT coalesce(a.message_id, m.id), coalesce(a.ordinal, 0), a.key, a.item_id,
      a.name, a.media_type, a.found FROM attachment a LEFT JOIN message m ON a.message_id IS NULL AND m.key = a.message_key
      WHERE coalesce(a.message_id, m.id) IS NOT NULL;)");
}

/// A message whose conversation is a lead of the same lane is shown within it.
void make_folded_leads(const Database& db) {
  db.execute(R"(
    CREATE TEMP TABLE page_inside(id INTEGER PRIMARY KEY, place INTEGER);
    INSERT OR IGNORE INTO page_inside SELECT l.id, v.place FROM lead l JOIN page_message m ON m.id = l.subject_id
      JOIN page_chat c ON c.chat = m.chat JOIN page_conversation_lane v ON v.conversation_id = c.conversation_id
      AND v.lane = l.lane WHERE l.subject_kind = 'message';
    CREATE INDEX temp.page_inside_place ON page_inside(place);)");
}

Status write_data(PageContext& page) {
  for (const auto write : {&write_leads, &write_conversations, &write_pictures, &write_items, &write_diary,
                           &write_problems_and_searches, &write_coverage, &write_method, &write_summary}) {
    if (auto status = write(page); !status) return status;
  }
  return page.previews.status();
}

Status replace_folder(const fs::path& fresh, const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) fs::rename(fresh, folder, error);
  if (error)
    return Error{ErrorCode::io, folder.string() + ": " + error.message() + " (replacing the page's data)"};
  return {};
}

}  // namespace

Status write_page(const Database& db, const fs::path& previews_path, const fs::path& folder) {
  make_lead_places(db);
  make_message_places(db);
  make_folded_leads(db);
  const fs::path fresh = folder / "data.part";
  std::error_code error;
  fs::remove_all(fresh, error);
  if (auto status = make_folder(fresh); !status) return status;
  Previews previews(previews_path, fresh);
  PartyNames names(db);
  PageContext page{db, previews, names, fresh, nlohmann::json::object(), read_case_facts(db)};
  if (auto status = write_data(page); !status) return status;
  if (auto status = make_folder(folder / "page"); !status) return status;
  if (auto status = write_file(folder / "page" / "report.js", page_script()); !status) return status;
  if (auto status = write_file(folder / "page" / "report.css", page_style()); !status) return status;
  if (auto status = replace_folder(fresh, folder / "data"); !status) return status;
  return write_file(folder / "index.html", kIndex);
}

}  // namespace touchstone::report
