// Conversations and their messages. All messages are one dataset in which each conversation is a stretch of
// rows, so that a conversation of any length is opened at any place by loading the chunk that holds it.
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

Status write_chats(PageContext& page) {
  Statement chat = page.db.prepare(
      "SELECT p.app, p.account, p.name, e.ref AS exhibit, p.from_place AS place, p.messages, p.first, "
      "p.last, p.assumed,"
      " p.deleted, p.recovered, c.key, c.title, c.participants, c.gaps,"
      " (SELECT l.place FROM page_conversation_lead l WHERE l.conversation_id = p.conversation_id) AS lead"
      " FROM page_chat p LEFT JOIN exhibit e ON e.id = p.exhibit_id LEFT JOIN conversation c ON c.id = "
      "p.conversation_id"
      " ORDER BY p.chat");
  ChunkWriter writer(page.data, "conversations");
  while (chat.step()) {
    json row = row_object(chat);
    if (row.contains("participants")) row["participants"] = parsed(row["participants"].get<std::string>());
    writer.add(row);
  }
  return finish_dataset(page, "conversations", writer);
}

constexpr std::size_t kRecipientsNamed = 8;

class MessageRows {
 public:
  explicit MessageRows(PageContext& page)
      : page_(page),
        attachment_(page.db.prepare(
            "SELECT a.name, coalesce(i.media_type, a.media_type), a.found, i.locator, i.sha256, i.size"
            " FROM page_attachment a LEFT JOIN item i ON i.id = a.item_id WHERE a.message_id = ?1 ORDER BY "
            "a.ordinal, a.key")),
        single_(page.db.prepare("SELECT name, media_type, 1, locator, sha256, size FROM item WHERE id = ?1")),
        copies_(page.db.prepare("SELECT i.locator, m.source_table, m.source_row FROM message m JOIN item_row "
                                "i ON i.id = m.item_id "
                                "WHERE m.folded_into = ?1 ORDER BY m.key LIMIT 10")),
        has_copies_(count(page.db, "SELECT EXISTS (SELECT 1 FROM message WHERE folded_into IS NOT NULL)") !=
                    0) {}

  json row(const Statement& m) {
    json row = {{"k", m.text(1)}};
    if (!m.is_null(3)) row["to"] = parsed(m.text(3));
    const auto put = [&](const char* name, int column) {
      if (!m.is_null(column)) row[name] = cell(m, column);
    };
    put("s", 2);
    put("x", 4);
    put("t", 5);
    put("r", 6);
    put("b", 7);
    put("d", 8);
    put("st", 12);
    put("src", 13);
    put("row", 14);
    put("item", 15);
    put("e", 18);
    if (json who = party(page_, m.integer(19), m.text(2), m.text(20)); !who.empty()) row["who"] = who;
    if (json to = named(m.integer(19), row.value("to", json()), m.text(20)); !to.empty()) row["ton"] = to;
    put("lead", 16);
    put("gap", 21);
    if (const int flags = (m.integer(9) ? 1 : 0) | (m.integer(10) ? 2 : 0) | (m.integer(11) ? 4 : 0))
      row["f"] = flags;
    json attachments = attachments_of(attachment_, m.integer(0));
    if (attachments.empty() && !m.is_null(17)) attachments = attachments_of(single_, m.integer(17));
    if (!attachments.empty()) row["a"] = std::move(attachments);
    if (json copies = copies_of(m.integer(0)); !copies.empty()) row["also"] = std::move(copies);
    return row;
  }

 private:
  /// The names of recipients that have one; a group's own name is that of its conversation.
  json named(std::int64_t exhibit, const json& recipients, const std::string& app) {
    json names = json::array();
    if (!recipients.is_array()) return names;
    for (const auto& one : recipients) {
      if (!one.is_string() || names.size() == kRecipientsNamed) continue;
      if (json who = party(page_, exhibit, one.get<std::string>(), app); who.contains("name"))
        names.push_back(who["name"]);
    }
    return names;
  }

  /// Where else the message stands: "LOCATOR, table row N".
  json copies_of(std::int64_t id) {
    json list = json::array();
    if (!has_copies_) return list;
    copies_.reset();
    copies_.bind(1, id);
    while (copies_.step())
      list.push_back(page_text(copies_.text(0) + ", " + copies_.text(1) + " row " + copies_.text(2)));
    return list;
  }

  json attachments_of(Statement& select, std::int64_t id) {
    select.reset();
    select.bind(1, id);
    json list = json::array();
    while (select.step()) {
      json one = {{"found", select.integer(2) != 0 && !select.is_null(3)}};
      if (!select.is_null(0)) one["name"] = page_text(select.text(0));
      if (!select.is_null(1)) one["type"] = select.text(1);
      if (!select.is_null(3)) one["item"] = select.text(3);
      if (!select.is_null(5)) one["size"] = select.integer(5);
      if (json preview = page_.previews.find(select.text(4)); !preview.is_null())
        one["preview"] = std::move(preview);
      list.push_back(std::move(one));
    }
    return list;
  }

  PageContext& page_;
  Statement attachment_, single_, copies_;
  const bool has_copies_;
};

Status write_messages(PageContext& page) {
  Statement message = page.db.prepare(
      "SELECT m.id, m.key, m.sender, m.recipients, m.body, m.sent, m.received, m.time_basis, m.direction, "
      "m.deleted,"
      " m.edited, m.recovered, m.status, m.source_table, m.source_row, i.locator, l.place, "
      "m.attachment_item_id, e.ref, i.exhibit_id, m.app, g.missing"
      " FROM page_message p JOIN message m ON m.id = p.id LEFT JOIN item i ON i.id = m.item_id"
      " LEFT JOIN exhibit e ON e.id = i.exhibit_id"
      " LEFT JOIN message_gap g ON g.message_id = m.id"
      " LEFT JOIN page_message_lead l ON l.message_id = m.id ORDER BY p.place");
  MessageRows rows(page);
  ChunkWriter writer(page.data, "messages");
  while (message.step()) writer.add(rows.row(message));
  return finish_dataset(page, "messages", writer);
}

}  // namespace

Status write_conversations(PageContext& page) {
  if (auto status = write_chats(page); !status) return status;
  return write_messages(page);
}

}  // namespace touchstone::report
