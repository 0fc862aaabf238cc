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

class MessageRows {
 public:
  explicit MessageRows(PageContext& page)
      : page_(page),
        attachment_(page.db.prepare(
            "SELECT a.name, coalesce(i.media_type, a.media_type), a.found, i.locator, i.sha256, i.size"
            " FROM page_attachment a LEFT JOIN item i ON i.id = a.item_id WHERE a.message_id = ?1 ORDER BY "
            "a.ordinal, a.key")),
        single_(
            page.db.prepare("SELECT name, media_type, 1, locator, sha256, size FROM item WHERE id = ?1")) {}

  json row(const Statement& m) {
    json row = {{"k", m.text(1)}};
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
    put("lead", 16);
    if (!m.is_null(3)) row["to"] = parsed(m.text(3));
    if (const int flags = (m.integer(9) ? 1 : 0) | (m.integer(10) ? 2 : 0) | (m.integer(11) ? 4 : 0))
      row["f"] = flags;
    json attachments = attachments_of(attachment_, m.integer(0));
    if (attachments.empty() && !m.is_null(17)) attachments = attachments_of(single_, m.integer(17));
    if (!attachments.empty()) row["a"] = std::move(attachments);
    return row;
  }

 private:
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
  Statement attachment_, single_;
};

Status write_messages(PageContext& page) {
  Statement message = page.db.prepare(
      "SELECT m.id, m.key, m.sender, m.recipients, m.body, m.sent, m.received, m.time_basis, m.direction, "
      "m.deleted,"
      " m.edited, m.recovered, m.status, m.source_table, m.source_row, i.locator, l.place, "
      "m.attachment_item_id"
      " FROM page_message p JOIN message m ON m.id = p.id LEFT JOIN item i ON i.id = m.item_id"
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
