// The one writer of a case database. Row ids never leave the database; the coordinator uses them between
// units. One thread. Failures throw CaseError (sqlite.hpp). All rows of a unit carry its id, so that a unit
// that did not end can be taken back whole.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "casefile/sqlite.hpp"
#include "model/types.hpp"

namespace touchstone {

enum class UnitState : int { pending = 0, held = 1, done = 2 };

/// A unit of work as the case database keeps it. `spec` is the coordinator's own.
struct UnitRow {
  std::int64_t id = 0;
  std::int64_t exhibit_id = 0;
  int kind = 0;
  int level = 0;              ///< depth of containers around it
  std::int64_t priority = 0;  ///< larger is earlier
  UnitState state = UnitState::pending;
  std::int64_t item_id = 0;  ///< of the item it examines or lists; first of a group
  std::string charges;       ///< JSON: plugin → charged attempts
  std::string spec;
};

/// What the coordinator knows of a content.
struct ContentRef {
  std::int64_t id = 0;
  bool analysed = false;  ///< content-scope rows of it are in the database
};

class CaseWriter {
 public:
  /// Opens DIR/case.db and DIR/previews.db, made when they are not there. Takes a lock: a second writer gets
  /// a CaseError.
  explicit CaseWriter(const std::string& folder);
  /// Whether a run holds the folder right now.
  static bool is_locked(const std::string& folder);
  CaseWriter(const CaseWriter&) = delete;
  CaseWriter& operator=(const CaseWriter&) = delete;

  Database& database() { return db_; }
  void begin();
  void commit();
  bool in_transaction() const { return in_transaction_; }

  // --- book-keeping ---
  std::optional<std::string> setting(std::string_view name) const;
  void set_setting(std::string_view name, std::string_view value);
  std::int64_t add_unit(const UnitRow& unit);
  std::optional<UnitRow> find_unit(std::int64_t id);
  void set_unit_state(std::int64_t id, UnitState state);
  void set_unit(std::int64_t id, UnitState state, std::string_view charges, std::string_view spec);
  /// Calls `each(id, level, priority, state)` for all that are not done.
  void each_open_unit(const std::function<void(std::int64_t, int, std::int64_t, UnitState)>& each) const;
  /// Takes back all rows that a unit wrote (items it announced, and their units, too).
  void take_back(std::int64_t unit_id);
  /// Units that wrote rows without ending: to be taken back when a run begins. See mark_partial().
  std::vector<std::int64_t> partial_units() const;
  void mark_partial(std::int64_t unit_id, bool partial);

  // --- results ---
  std::int64_t add_exhibit(std::string_view ref, Role role, std::string_view path);
  void set_exhibit(std::int64_t id, std::string_view column, const Value& value);
  /// Adds the members of a JSON object to the exhibit's metadata; names that are there stay as they are.
  void add_exhibit_metadata(std::int64_t id, const std::string& json);
  std::int64_t add_volume(std::int64_t exhibit_id, const Volume& volume, std::int64_t unit_id);
  void set_volume_state(std::int64_t exhibit_id, const std::string& slot, VolumeState state,
                        std::string_view reason);
  std::int64_t volume_id(std::int64_t exhibit_id, const std::string& slot) const;
  std::int64_t add_item(const Item& item, std::int64_t exhibit_id, std::int64_t parent_id, ItemState state,
                        std::string_view reason, std::int64_t unit_id);
  void set_item(std::int64_t id, std::int64_t content_id, ItemState state, std::string_view reason);
  void set_item_size(std::int64_t id, std::uint64_t size);
  ContentRef content(const Digests& digests, std::uint64_t size, std::string_view media_type);
  /// The worst that happened to a content in a unit that analysed it.
  void set_analysed(std::int64_t content_id, const std::string& sha256, ItemState state,
                    std::string_view reason, std::int64_t unit_id);
  void add_record(const Record& record, std::int64_t item_id, std::int64_t content_id,
                  std::string_view plugin, std::int64_t unit_id);
  void add_finding(const Finding& finding, std::int64_t item_id, std::int64_t content_id,
                   std::int64_t unit_id);
  void add_problem(const Problem& problem, std::int64_t item_id, std::int64_t exhibit_id,
                   std::int64_t content_id, std::int64_t unit_id);
  /// A range that could not be read or does not fit its checksum: of the exhibit, or of an item.
  struct Damage {
    std::int64_t exhibit_id = 0, item_id = 0;  ///< 0: of the exhibit
    std::optional<std::uint64_t> offset;       ///< on the exhibit
    std::uint64_t length = 0;
    std::optional<std::uint64_t> item_offset;
    std::string reason;
  };
  void add_damage(const Damage& damage, std::int64_t unit_id);
  void add_out_of_scope(std::int64_t exhibit_id, std::string_view volume_slot, std::string_view rule,
                        std::uint64_t items, std::int64_t unit_id);
  void add_plugin_run(std::int64_t exhibit_id, std::string_view plugin, std::uint64_t ran,
                      std::uint64_t not_run);
  void add_timing(std::int64_t run_id, std::string_view stage, std::uint64_t calls, std::uint64_t cpu_us,
                  std::uint64_t bytes);
  void declare_rule(std::string_view plugin, std::string_view rule, std::string_view version,
                    std::string_view title);
  void add_preview(std::string_view sha256, std::int64_t width, std::int64_t height, std::string_view blurred,
                   std::string_view clear);
  bool has_preview(std::string_view sha256) const;

  /// Reads again what is kept in memory of contents and volumes, after they were changed by SQL.
  void reload();

  /// Writes all to the one file and leaves WAL mode: nothing but case.db and previews.db remains.
  void close();

 private:
  Statement& statement(const char* sql);
  void load_contents();
  struct RecordTable {
    enum class Source : std::uint8_t { field, key, item, content, plugin, unit };
    struct Column {
      std::string field;  ///< of the record
      Source source = Source::field;
      std::size_t usual = 0;  ///< where records have the field, as far as they are alike
    };
    std::vector<Column> columns;
    std::unique_ptr<Statement> insert;
    bool of_content = false;
  };
  RecordTable* record_table(const std::string& kind);
  static RecordTable::Column record_column(const std::string& name);
  static const Value* find_field(const Record& record, RecordTable::Column& column);

  using Key = std::array<std::uint8_t, 32>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  /// An exclusive lock on the folder, given back at the end of its life.
  class FolderLock {
   public:
    explicit FolderLock(const std::string& folder);
    ~FolderLock() { release(); }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    void release();

   private:
    int descriptor_ = -1;
  };
  FolderLock lock_;
  Database db_, previews_;
  bool in_transaction_ = false;
  std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;
  std::map<std::string, RecordTable, std::less<>> tables_;
  std::unordered_map<Key, ContentRef, KeyHash> contents_;
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> volumes_;
};

}  // namespace touchstone
