#include <algorithm>

#include "report/check_steps.hpp"
#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

// A lead is a large row (reasons, command lines, a blurred picture); few a chunk keep the first page quick.
constexpr std::size_t kLeadsPerChunk = 100;
// Rows of the filter index: about 20 bytes each.
constexpr std::size_t kIndexRows = 20'000;
constexpr int kPlacesShown = 10;
// Leads of its messages that the lead of a conversation lists.
constexpr int kInsideShown = 50;

constexpr char kItemSql[] =
    "SELECT i.locator, i.name, i.path, i.kind, i.allocated, i.size, i.created, i.modified, i.accessed, "
    "i.changed,"
    " i.time_basis, i.media_type, i.md5, i.sha1, i.sha256, i.state, i.reason, e.ref AS exhibit, e.path AS "
    "exhibit_path,"
    " e.format AS exhibit_format, e.stored_md5, v.offset AS volume_offset, v.filesystem AS "
    "volume_filesystem, CASE WHEN "
    "json_valid(i.detail) AND json_extract(i.detail, '$.encrypted_in_backup') IS NULL THEN "
    "json_extract(i.detail, '$.backup_name') END AS stored_as, i.content_id, i.exhibit_id"
    " FROM item i LEFT JOIN exhibit e ON e.id = i.exhibit_id LEFT JOIN volume v ON v.id = i.volume_id WHERE "
    "i.id = ?1";

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class LeadRows {
 public:
  explicit LeadRows(PageContext& page)
      : page_(page),
        item_(page.db.prepare(kItemSql)),
        places_(
            page.db.prepare("SELECT locator FROM item WHERE id IN (SELECT id FROM item WHERE content_id = ?1)"
                            " ORDER BY locator LIMIT ?2")),
        message_(page.db.prepare(
            "SELECT m.app, m.account, m.sender, m.recipients, m.body, m.sent, m.received, m.time_basis, "
            "m.direction,"
            " m.deleted, m.edited, m.recovered, m.source_table, m.source_row, p.place, p.chat FROM message m"
            " LEFT JOIN page_message p ON p.id = m.id WHERE m.id = ?1")),
        inside_(page.db.prepare(
            "SELECT p.place, l.key, l.score, l.title, m.body FROM page_inside x"
            " JOIN page_lead p ON p.id = x.id JOIN lead l ON l.id = x.id JOIN message m ON m.id = "
            "l.subject_id"
            " WHERE x.place = ?1 ORDER BY p.place LIMIT ?2")),
        inside_count_(page.db.prepare("SELECT count(*) FROM page_inside WHERE place = ?1")),
        decision_(page.db.prepare("SELECT decision, note, who, at FROM decision WHERE subject_key = ?1"
                                  " ORDER BY at, who, decision, note")),
        finding_(
            page.db.prepare("SELECT f.plugin, f.plugin_version, f.rule, f.confidence, f.position, f.detail"
                            " FROM page_finding p JOIN finding f ON f.id = p.id WHERE p.key = ?1")),
        picture_(page.db.prepare(
            "SELECT taken, time_basis, camera, latitude, longitude FROM picture WHERE id = ?1")),
        wal_(page.db.prepare("SELECT w.locator FROM item i JOIN item w ON w.exhibit_id = i.exhibit_id AND "
                             "w.name = i.name || '-wal'"
                             " AND w.path = i.path || '-wal' AND w.volume_id IS i.volume_id WHERE i.id = ?1"
                             " ORDER BY w.allocated DESC, w.locator LIMIT 1")) {}

  json row(const Statement& lead) {
    json row = {{"key", lead.text(1)},
                {"lane", lead.text(3)},
                {"band", lead.text(4)},
                {"score", lead.integer(5)},
                {"reasons", reasons(lead.text(6))},
                {"kind", lead.text(2)}};
    if (!lead.is_null(7)) row["title"] = page_text(lead.text(7));
    if (!lead.is_null(8)) row["places"] = lead.integer(8);
    json item = item_facts(lead.optional_integer(9));
    exhibit_ = item.value("exhibit_id", std::int64_t{0});
    place_ = lead.integer(11);
    CheckSubject subject = check_subject(item);
    if (const auto id = lead.optional_integer(9); id && is_file(lead.text(2))) add_picture(row, *id);
    if (const auto id = lead.optional_integer(10)) add_record(row, subject, lead.text(2), *id);
    if (const auto id = lead.optional_integer(9); id && !subject.source_table.empty()) {
      wal_.reset();
      wal_.bind(1, *id);
      if (wal_.step()) subject.wal_locator = wal_.text(0);
    }
    json check = json::array();
    for (const auto& step : check_steps(subject)) check.push_back({step.text, step.command});
    row["check"] = std::move(check);
    row["exhibit"] = text_of(item, "exhibit");
    if (item.contains("content_id")) add_content(row, item);
    for (const char* name : {"exhibit_path", "exhibit_format", "stored_md5", "volume_offset",
                             "volume_filesystem", "stored_as", "content_id", "exhibit_id"})
      item.erase(name);
    row["item"] = std::move(item);
    add_decisions(row);
    return row;
  }

 private:
  json reasons(const std::string& text) {
    json list = parsed(text);
    if (!list.is_array()) return json::array();
    for (auto& reason : list) {
      if (!reason.is_object() || text_of(reason, "finding").empty()) continue;
      finding_.reset();
      finding_.bind(1, text_of(reason, "finding"));
      if (!finding_.step()) continue;
      json by = row_object(finding_);
      if (by.contains("detail")) by["detail"] = parsed(text_of(by, "detail"));
      reason["by"] = std::move(by);
    }
    return list;
  }

  json item_facts(std::optional<std::int64_t> id) {
    if (!id) return json::object();
    item_.reset();
    item_.bind(1, *id);
    return item_.step() ? row_object(item_) : json::object();
  }

  static CheckSubject check_subject(const json& item) {
    CheckSubject subject;
    subject.exhibit_path = text_of(item, "exhibit_path");
    subject.exhibit_format = text_of(item, "exhibit_format");
    subject.stored_md5 = text_of(item, "stored_md5");
    subject.locator = text_of(item, "locator");
    subject.sha256 = text_of(item, "sha256");
    subject.filesystem = text_of(item, "volume_filesystem");
    subject.stored_as = text_of(item, "stored_as");
    if (item.contains("volume_offset")) subject.volume_offset = item["volume_offset"].get<std::int64_t>();
    return subject;
  }

  void add_record(json& row, CheckSubject& subject, const std::string& kind, std::int64_t id) {
    if (kind == "message") {
      message_.reset();
      message_.bind(1, id);
      if (!message_.step()) return;
      row["message"] = row_object(message_);
      row["message"]["who"] = party(page_, exhibit_, message_.text(2), message_.text(0));
      set_source(subject, row["message"]);
    } else if (kind == "conversation") {
      Statement chat =
          page_.db.prepare("SELECT chat FROM page_chat WHERE conversation_id = ?1 ORDER BY chat LIMIT 1");
      chat.bind(1, id);
      if (chat.step()) row["chat"] = chat.integer(0) - 1;
      add_inside(row);
    } else if (kind == "call" || kind == "contact" || kind == "account" || kind == "location" ||
               kind == "visit" || kind == "event" || kind == "note") {
      Statement record = page_.db.prepare("SELECT * FROM " + kind + " WHERE id = ?1");
      record.bind(1, id);
      if (!record.step()) return;
      json facts = row_object(record);
      set_source(subject, facts);
      for (const char* name : {"id", "item_id", "unit_id", "plugin", "key"}) facts.erase(name);
      row["record"] = std::move(facts);
    }
  }

  /// The leads of a conversation's own messages, strongest first.
  void add_inside(json& row) {
    inside_count_.reset();
    inside_count_.bind(1, place_).step();
    const std::int64_t all = inside_count_.integer(0);
    if (all == 0) return;
    json list = json::array();
    inside_.reset();
    for (inside_.bind(1, place_).bind(2, kInsideShown); inside_.step();) {
      list.push_back(row_object(inside_));
      add_decisions(list.back());
    }
    row["inside"] = {{"all", all}, {"leads", std::move(list)}};
  }

  /// A lead about a file itself, not about a record in it.
  static bool is_file(const std::string& kind) {
    return kind == "item" || kind == "content" || kind == "picture" || kind == "video" || kind == "document";
  }

  void add_picture(json& row, std::int64_t item_id) {
    picture_.reset();
    picture_.bind(1, item_id);
    if (picture_.step()) row["picture"] = row_object(picture_);
  }

  static void set_source(CheckSubject& subject, const json& record) {
    subject.source_table = text_of(record, "source_table");
    subject.source_row = text_of(record, "source_row");
  }

  void add_content(json& row, const json& item) {
    if (!row.contains("message")) {
      if (json preview = page_.previews.find(text_of(item, "sha256")); !preview.is_null())
        row["preview"] = preview;
    }
    if (row.value("places", std::int64_t{1}) <= 1) return;
    places_.reset();
    places_.bind(1, item["content_id"].get<std::int64_t>()).bind(2, kPlacesShown);
    json list = json::array();
    while (places_.step()) list.push_back(places_.text(0));
    row["also_at"] = std::move(list);
  }

  void add_decisions(json& row) {
    decision_.reset();
    decision_.bind(1, row["key"].get<std::string>());
    while (decision_.step()) row["decisions"].push_back(row_object(decision_));
  }

  std::int64_t place_ = 0, exhibit_ = 0;  // of the lead that row() is at
  PageContext& page_;
  Statement item_, places_, message_, inside_, inside_count_, decision_, finding_, picture_, wal_;
};

/// What the page filters by, for all leads in little space: one letter or small number a lead.
class LeadIndex {
 public:
  explicit LeadIndex(PageContext& page) : page_(page) {}
  /// `inside`: 0, or the place of the conversation's lead that shows this one, plus one.
  Status add(const json& row, std::int64_t inside) {
    lanes_ += row["lane"] == "away" ? 'a' : 't';
    bands_ += row["band"].get<std::string>().substr(0, 1);
    kinds_.push_back(number_of(kind_names_, row["kind"].get<std::string>()));
    inside_.push_back(inside);
    exhibits_.push_back(number_of(exhibit_names_, row["exhibit"].get<std::string>()));
    return lanes_.size() == kIndexRows ? flush() : Status{};
  }
  Status finish() {
    Status status = flush();
    page_.datasets["leadindex"] = {{"rows", chunks_}, {"kinds", kind_names_}, {"exhibits", exhibit_names_}};
    return status;
  }

 private:
  static std::size_t number_of(std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    names.push_back(name);
    return names.size() - 1;
  }
  Status flush() {
    if (lanes_.empty()) return {};
    const json payload = {{"lanes", lanes_},
                          {"bands", bands_},
                          {"kinds", kinds_},
                          {"exhibits", exhibits_},
                          {"inside", inside_}};
    lanes_.clear();
    bands_.clear();
    kinds_.clear();
    exhibits_.clear();
    inside_.clear();
    return write_chunk(page_.data, "leadindex", chunks_++, payload);
  }

  PageContext& page_;
  std::string lanes_, bands_;
  std::vector<std::size_t> kinds_, exhibits_;
  std::vector<std::int64_t> inside_;
  std::vector<std::string> kind_names_, exhibit_names_;
  std::uint64_t chunks_ = 0;
};

}  // namespace

Status write_leads(PageContext& page) {
  Statement lead = page.db.prepare(
      "SELECT l.id, l.key, l.subject_kind, l.lane, l.band, l.score, l.reasons, l.title, l.places, l.item_id, "
      "l.subject_id, p.place, (SELECT x.place FROM page_inside x WHERE x.id = l.id)"
      " FROM page_lead p JOIN lead l ON l.id = p.id ORDER BY p.place");
  LeadRows rows(page);
  LeadIndex index(page);
  ChunkWriter writer(page.data, "leads", kLeadsPerChunk);
  while (lead.step()) {
    const json row = rows.row(lead);
    writer.add(row);
    if (auto status = index.add(row, lead.is_null(12) ? 0 : lead.integer(12) + 1); !status) return status;
  }
  if (auto status = index.finish(); !status) return status;
  return finish_dataset(page, "leads", writer);
}

}  // namespace touchstone::report
