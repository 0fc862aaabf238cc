#include "casefile/case_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <utility>

#include "model/locator.hpp"
#include "previews_sql.hpp"
#include "schema_sql.hpp"

namespace touchstone {
namespace {

// Tables that a plugin's records may go to.
constexpr const char* kRecordTables[] = {"message",  "attachment", "call",  "contact", "account",
                                         "location", "visit",      "event", "note"};
constexpr std::pair<const char*, const char*> kContentTables[] = {
    {"picture", "picture_row"}, {"video", "video_row"}, {"document", "document_row"}};

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

std::int64_t number(const Database& db, const char* sql) {
  auto query = db.prepare(sql);
  return query.step() ? query.integer(0) : 0;
}

Database open_or_create(const std::string& path, const char* schema) {
  constexpr std::int64_t kVersion = 5;  // user_version in the .sql files
  Database db(path, Database::Mode::create);
  const std::int64_t version = number(db, "PRAGMA user_version");
  if (version == 0 && number(db, "SELECT count(*) FROM sqlite_schema") > 0) {
    throw CaseError(path + " is a database of something else: choose another folder");
  }
  if (version > kVersion) throw CaseError(path + " was made by a newer version of this program");
  if (version != 0 && version < kVersion)
    throw CaseError(path + " was made by an earlier version of this program: choose another folder");
  db.execute("PRAGMA page_size = 8192");
  db.execute("PRAGMA journal_mode = WAL");
  db.execute("PRAGMA synchronous = NORMAL");
  db.execute("PRAGMA cache_size = -65536");
  if (version == 0) db.execute(std::string("BEGIN;") + schema + "COMMIT;");
  return db;
}

}  // namespace

CaseWriter::FolderLock::FolderLock(const std::string& folder) {
  const std::string path = folder + "/.lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) throw CaseError(fmt::format("{}: {}", path, std::strerror(errno)));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    release();
    throw CaseError(
        fmt::format("{}: another touchstone is working on this folder; wait for it to end", folder));
  }
}

bool CaseWriter::is_locked(const std::string& folder) {
  const int descriptor = open((folder + "/.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = flock(descriptor, LOCK_SH | LOCK_NB) != 0;
  ::close(descriptor);
  return locked;
}

void CaseWriter::FolderLock::release() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::size_t CaseWriter::KeyHash::operator()(const Key& key) const {
  std::size_t value = 0;
  std::memcpy(&value, key.data(), sizeof value);  // already a digest
  return value;
}

CaseWriter::CaseWriter(const std::string& folder) : lock_(folder) {
  db_ = open_or_create(folder + "/case.db", kSchema);
  if (number(db_, "SELECT count(*) FROM sqlite_schema WHERE name = 'item_row'") != 1)
    throw CaseError(folder + "/case.db is not a case database of this program");
  previews_ = open_or_create(folder + "/previews.db", kPreviews);
  const auto columns_of = [&](const std::string& table) {
    std::vector<std::string> columns;
    auto query = db_.prepare("SELECT name FROM pragma_table_info(?1) WHERE name <> 'id'");
    query.bind(1, table);
    while (query.step()) columns.push_back(query.text(0));
    return columns;
  };
  const auto add_table = [&](const std::string& kind, const std::string& table, bool of_content) {
    RecordTable entry;
    entry.of_content = of_content;
    std::string names, marks;
    const std::vector<std::string> columns = columns_of(table);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      entry.columns.push_back(record_column(columns[i]));
      names += (i ? ", " : "") + columns[i];
      marks += fmt::format("{}?{}", i ? ", " : "", i + 1);
    }
    entry.insert = std::make_unique<Statement>(
        db_.handle(), fmt::format("INSERT INTO {}({}) VALUES({})", table, names, marks));
    tables_.emplace(kind, std::move(entry));
  };
  for (const char* table : kRecordTables) add_table(table, table, false);
  for (const auto& [kind, table] : kContentTables) add_table(kind, table, true);
  load_contents();
}

void CaseWriter::reload() {
  contents_.clear();
  volumes_.clear();
  load_contents();
}

void CaseWriter::load_contents() {
  auto contents = db_.prepare("SELECT id, sha256, state IS NOT NULL FROM content");
  while (contents.step()) {
    Key key{};
    const std::string bytes = contents.blob(1);
    std::memcpy(key.data(), bytes.data(), std::min(bytes.size(), key.size()));
    contents_[key] = {contents.integer(0), contents.integer(2) != 0};
  }
  auto volumes = db_.prepare("SELECT id, exhibit_id, slot FROM volume");
  while (volumes.step()) volumes_[{volumes.integer(1), volumes.text(2)}] = volumes.integer(0);
}

Statement& CaseWriter::statement(const char* sql) {
  auto& entry = statements_[sql];
  if (!entry) entry = std::make_unique<Statement>(db_.handle(), sql);
  return *entry;
}

void CaseWriter::begin() {
  if (!in_transaction_) db_.execute("BEGIN IMMEDIATE");
  in_transaction_ = true;
}

void CaseWriter::commit() {
  if (in_transaction_) db_.execute("COMMIT");
  in_transaction_ = false;
}

std::optional<std::string> CaseWriter::setting(std::string_view name) const {
  auto query = db_.prepare("SELECT value FROM setting WHERE name = ?1");
  query.bind(1, name);
  if (!query.step()) return std::nullopt;
  return query.text(0);
}

void CaseWriter::set_setting(std::string_view name, std::string_view value) {
  statement(
      "INSERT INTO setting(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = "
      "excluded.value")
      .bind(1, name)
      .bind(2, value)
      .run();
}

std::int64_t CaseWriter::add_exhibit(std::string_view ref, Role role, std::string_view path) {
  statement("INSERT INTO exhibit(ref, role, path) VALUES(?1, ?2, ?3)")
      .bind(1, ref)
      .bind(2, to_text(role))
      .bind(3, path)
      .run();
  return db_.last_insert_id();
}

void CaseWriter::set_exhibit(std::int64_t id, std::string_view column, const Value& value) {
  // `column` is one of ours, never text from evidence.
  db_.prepare(fmt::format("UPDATE exhibit SET \"{}\" = ?2 WHERE id = ?1", column))
      .bind(1, id)
      .bind(2, value)
      .run();
}

void CaseWriter::add_exhibit_metadata(std::int64_t id, const std::string& json) {
  db_.prepare(
         "UPDATE exhibit SET metadata = json_patch(?2, CASE WHEN json_valid(metadata) THEN metadata ELSE "
         "'{}' END)"
         " WHERE id = ?1 AND json_valid(?2)")
      .bind(1, id)
      .bind(2, json)
      .run();
}

std::int64_t CaseWriter::add_volume(std::int64_t exhibit_id, const Volume& volume, std::int64_t unit_id) {
  std::optional<std::int64_t> parent;
  if (const auto found = volumes_.find({exhibit_id, volume.parent_slot}); found != volumes_.end())
    parent = found->second;
  statement(
      "INSERT INTO volume(exhibit_id, parent_id, slot, offset, size, kind, filesystem, label, state, reason, "
      "unit_id) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")
      .bind(1, exhibit_id)
      .bind(2, parent)
      .bind(3, volume.slot)
      .bind(4, static_cast<std::int64_t>(volume.offset))
      .bind(5, static_cast<std::int64_t>(volume.size))
      .bind(6, volume.kind)
      .bind(7, volume.filesystem)
      .bind(8, volume.label)
      .bind(9, to_text(volume.state))
      .bind(10, volume.reason)
      .bind(11, unit_id)
      .run();
  return volumes_[{exhibit_id, volume.slot}] = db_.last_insert_id();
}

void CaseWriter::set_volume_state(std::int64_t exhibit_id, const std::string& slot, VolumeState state,
                                  std::string_view reason) {
  statement("UPDATE volume SET state = ?3, reason = ?4 WHERE exhibit_id = ?1 AND slot = ?2")
      .bind(1, exhibit_id)
      .bind(2, slot)
      .bind(3, to_text(state))
      .bind(4, reason)
      .run();
}

std::int64_t CaseWriter::volume_id(std::int64_t exhibit_id, const std::string& slot) const {
  const auto found = volumes_.find({exhibit_id, slot});
  return found == volumes_.end() ? 0 : found->second;
}

std::int64_t CaseWriter::add_item(const Item& item, std::int64_t exhibit_id, std::int64_t parent_id,
                                  ItemState state, std::string_view reason, std::int64_t unit_id) {
  Statement& insert = statement(
      "INSERT INTO item_row(locator, exhibit_id, volume_id, parent_id, path, name, kind, allocated, size, "
      "created, modified, "
      "accessed, changed, time_basis, state, reason, detail, unit_id) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)");
  insert.bind(1, item.locator).bind(2, exhibit_id);
  const std::int64_t volume = volume_id(exhibit_id, item.volume_slot);
  volume ? insert.bind(3, volume) : insert.bind_null(3);
  parent_id ? insert.bind(4, parent_id) : insert.bind_null(4);
  insert.bind(5, item.path).bind(6, item.name).bind(7, to_text(item.kind)).bind(8, item.allocated ? 1 : 0);
  insert.bind(9, static_cast<std::int64_t>(item.size))
      .bind(10, item.times.created)
      .bind(11, item.times.modified)
      .bind(12, item.times.accessed)
      .bind(13, item.times.changed)
      .bind(14, to_text(item.times.basis))
      .bind(15, to_text(state));
  reason.empty() ? insert.bind_null(16) : insert.bind(16, reason);
  item.detail.empty() ? insert.bind_null(17) : insert.bind(17, item.detail);
  insert.bind(18, unit_id).run();
  return db_.last_insert_id();
}

void CaseWriter::set_item(std::int64_t id, std::int64_t content_id, ItemState state,
                          std::string_view reason) {
  Statement& update = statement("UPDATE item_row SET content_id = ?2, state = ?3, reason = ?4 WHERE id = ?1");
  update.bind(1, id);
  content_id ? update.bind(2, content_id) : update.bind_null(2);
  update.bind(3, to_text(state));
  reason.empty() ? update.bind_null(4) : update.bind(4, reason);
  update.run();
}

void CaseWriter::set_item_size(std::int64_t id, std::uint64_t size) {
  statement("UPDATE item_row SET size = ?2 WHERE id = ?1")
      .bind(1, id)
      .bind(2, static_cast<std::int64_t>(size))
      .run();
}

ContentRef CaseWriter::content(const Digests& digests, std::uint64_t size, std::string_view media_type) {
  Key key{};
  const std::string sha256 = from_hex(digests.sha256);
  std::memcpy(key.data(), sha256.data(), std::min(sha256.size(), key.size()));
  auto& entry = contents_[key];
  if (entry.id == 0) {
    statement("INSERT INTO content(sha256, size, media_type, md5, sha1) VALUES(?1, ?2, ?3, ?4, ?5)")
        .bind_blob(1, sha256)
        .bind(2, static_cast<std::int64_t>(size))
        .bind(3, media_type)
        .bind_blob(4, from_hex(digests.md5))
        .bind_blob(5, from_hex(digests.sha1))
        .run();
    entry.id = db_.last_insert_id();
  }
  return entry;
}

void CaseWriter::set_analysed(std::int64_t content_id, const std::string& sha256, ItemState state,
                              std::string_view reason, std::int64_t unit_id) {
  Key key{};
  const std::string bytes = from_hex(sha256);
  std::memcpy(key.data(), bytes.data(), std::min(bytes.size(), key.size()));
  contents_[key].analysed = true;
  statement("UPDATE content SET state = ?2, reason = ?3, unit_id = ?4 WHERE id = ?1")
      .bind(1, content_id)
      .bind(2, to_text(state))
      .bind(3, reason)
      .bind(4, unit_id)
      .run();
}

void CaseWriter::add_finding(const Finding& finding, std::int64_t item_id, std::int64_t content_id,
                             std::int64_t unit_id) {
  Statement& insert = statement(
      "INSERT INTO finding(content_id, item_id, record_kind, plugin, plugin_version, rule, category, "
      "confidence, title, detail, "
      "position, key, record_key, unit_id) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)");
  content_id ? insert.bind(1, content_id) : insert.bind_null(1);
  item_id ? insert.bind(2, item_id) : insert.bind_null(2);
  const auto text = [&](int index, const std::string& value) {
    value.empty() ? insert.bind_null(index) : insert.bind(index, value);
  };
  text(3, finding.record_kind);
  insert.bind(4, finding.plugin)
      .bind(5, finding.plugin_version)
      .bind(6, finding.rule)
      .bind(7, finding.category);
  insert.bind(8, finding.confidence)
      .bind(9, finding.title)
      .bind(10, finding.detail)
      .bind(11, finding.position)
      .bind(12, finding.key);
  text(13, finding.record_key);
  insert.bind(14, unit_id).run();
}

void CaseWriter::add_problem(const Problem& problem, std::int64_t item_id, std::int64_t exhibit_id,
                             std::int64_t content_id, std::int64_t unit_id) {
  Statement& insert = statement(
      "INSERT INTO problem(key, item_id, exhibit_id, plugin, kind, message, content_id, unit_id) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
  insert.bind(1, problem.key);
  item_id ? insert.bind(2, item_id) : insert.bind_null(2);
  exhibit_id ? insert.bind(3, exhibit_id) : insert.bind_null(3);
  insert.bind(4, problem.plugin).bind(5, to_text(problem.kind)).bind(6, problem.message);
  content_id ? insert.bind(7, content_id) : insert.bind_null(7);
  insert.bind(8, unit_id).run();
}

void CaseWriter::add_damage(const Damage& damage, std::int64_t unit_id) {
  Statement& insert = statement(
      "INSERT INTO damage(exhibit_id, item_id, offset, length, item_offset, reason, unit_id) "
      "VALUES(?1,?2,?3,?4,?5,?6,?7)");
  const auto place = [&](int index, std::optional<std::uint64_t> value) {
    value ? insert.bind(index, static_cast<std::int64_t>(std::min<std::uint64_t>(*value, INT64_MAX)))
          : insert.bind_null(index);
  };
  insert.bind(1, damage.exhibit_id);
  damage.item_id ? insert.bind(2, damage.item_id) : insert.bind_null(2);
  place(3, damage.offset);
  place(4, damage.length);
  place(5, damage.item_offset);
  insert.bind(6, damage.reason).bind(7, unit_id).run();
}

void CaseWriter::add_out_of_scope(std::int64_t exhibit_id, std::string_view volume_slot,
                                  std::string_view rule, std::uint64_t items, std::int64_t unit_id) {
  statement(
      "INSERT INTO out_of_scope(exhibit_id, volume_slot, rule, items, unit_id) VALUES(?1, ?2, ?3, ?4, ?5)")
      .bind(1, exhibit_id)
      .bind(2, volume_slot)
      .bind(3, rule)
      .bind(4, static_cast<std::int64_t>(items))
      .bind(5, unit_id)
      .run();
}

void CaseWriter::add_plugin_run(std::int64_t exhibit_id, std::string_view plugin, std::uint64_t ran,
                                std::uint64_t not_run) {
  statement(
      "INSERT INTO plugin_run(exhibit_id, plugin, ran, not_run) VALUES(?1, ?2, ?3, ?4) ON "
      "CONFLICT(exhibit_id, plugin) DO UPDATE "
      "SET ran = ran + excluded.ran, not_run = not_run + excluded.not_run")
      .bind(1, exhibit_id)
      .bind(2, plugin)
      .bind(3, static_cast<std::int64_t>(ran))
      .bind(4, static_cast<std::int64_t>(not_run))
      .run();
}

void CaseWriter::add_timing(std::int64_t run_id, std::string_view stage, std::uint64_t calls,
                            std::uint64_t cpu_us, std::uint64_t bytes) {
  statement(
      "INSERT INTO timing(run_id, stage, calls, cpu_us, bytes) VALUES(?1, ?2, ?3, ?4, ?5) ON "
      "CONFLICT(run_id, stage) DO UPDATE SET "
      "calls = calls + excluded.calls, cpu_us = cpu_us + excluded.cpu_us, bytes = bytes + excluded.bytes")
      .bind(1, run_id)
      .bind(2, stage)
      .bind(3, static_cast<std::int64_t>(calls))
      .bind(4, static_cast<std::int64_t>(cpu_us))
      .bind(5, static_cast<std::int64_t>(bytes))
      .run();
}

void CaseWriter::declare_rule(std::string_view plugin, std::string_view rule, std::string_view version,
                              std::string_view title) {
  statement("INSERT OR REPLACE INTO declared_rule(plugin, rule, version, title) VALUES(?1, ?2, ?3, ?4)")
      .bind(1, plugin)
      .bind(2, rule)
      .bind(3, version)
      .bind(4, title)
      .run();
}

void CaseWriter::add_preview(std::string_view sha256, std::int64_t width, std::int64_t height,
                             std::string_view blurred, std::string_view clear) {
  previews_
      .prepare(
          "INSERT OR REPLACE INTO preview(sha256, width, height, blurred, clear) VALUES(?1, ?2, ?3, ?4, ?5)")
      .bind(1, sha256)
      .bind(2, width)
      .bind(3, height)
      .bind_blob(4, blurred)
      .bind_blob(5, clear)
      .run();
}

bool CaseWriter::has_preview(std::string_view sha256) const {
  auto query = previews_.prepare("SELECT 1 FROM preview WHERE sha256 = ?1");
  return query.bind(1, sha256).step();
}

void CaseWriter::close() {
  commit();
  statements_.clear();
  tables_.clear();
  for (Database* db : {&db_, &previews_}) {
    db->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    db->execute("PRAGMA journal_mode = DELETE");
    db->close();
  }
  lock_.release();
}

}  // namespace touchstone
