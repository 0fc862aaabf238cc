// Behind ts_job and ts_host_v1: what one item's plugins share while they run, and the table of services.
// Internal to lib/plugin.
#pragma once

#include <touchstone/plugin_abi.h>

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "content/database.hpp"
#include "content/picture.hpp"
#include "content/sqlite/recovered_database.hpp"
#include "content/text.hpp"
#include "plugin/given_keys.hpp"
#include "plugin/session.hpp"

namespace touchstone {

/// A plugin loaded into a session. `api` is first: the host table given to the plugin leads back here.
struct HostedPlugin {
  ts_host_v1 api{};
  const PluginFile* file = nullptr;
  std::string settings;
  void* self = nullptr;
  bool ready = false;
  int index = 0;
  std::string failure;  ///< last fail() text
  std::vector<DeclaredRule>* rules = nullptr;
  StageTiming timing;

  const ts_plugin_v1& table() const { return *file->table; }
  static HostedPlugin& of(const ts_host_v1* host) {
    return *reinterpret_cast<HostedPlugin*>(const_cast<ts_host_v1*>(host));
  }
};

/// Fills the service table.
void fill_host_table(ts_host_v1& api);

}  // namespace touchstone

/// One item on its way. The C name is the interface's.
struct ts_job {
  const touchstone::ItemContext* item = nullptr;
  touchstone::Content* content = nullptr;
  touchstone::ResultSink* sink = nullptr;
  touchstone::HostedPlugin* current = nullptr;
  touchstone::Examination* examination = nullptr;
  std::vector<std::unique_ptr<touchstone::HostedPlugin>>* plugins = nullptr;
  touchstone::Watch* watch = nullptr;
  bool known = false;        ///< a hash set calls the content ordinary
  bool for_members = false;  ///< bytes behind a window of free space are given

  std::uint64_t nested_cpu_us = 0;  ///< of calls from inside the one under way

  // Records kept back for classifiers, and what findings() tells.
  static constexpr std::size_t kRecordBatch = 1000;
  bool keep_records = false;  ///< a plugin of this pass takes records
  std::function<void()> flush_records;
  std::deque<touchstone::Record> pending_records;
  std::vector<std::pair<std::string, touchstone::Finding>> content_findings;
  touchstone::GivenKeys given_keys;
  std::unordered_map<std::string, std::uint32_t> rule_counts;
  touchstone::HashSet64 passed_messages;  ///< hashes of keys; only where the scope has a say
  std::string last_key;

  // Facets, made when first asked for.
  std::optional<touchstone::Picture> picture;
  bool picture_tried = false;
  std::unique_ptr<touchstone::EvidenceDatabase> databases[2][3];  ///< by scope and state
  std::unique_ptr<touchstone::ByteSource> wal, journal;
  bool companions_opened = false;
  std::unique_ptr<touchstone::sqlite::RecoveredDatabase> recovered;
  bool recovery_tried = false;
  /// Pages without their database: what their rows may belong to.
  struct PageDatabase {
    std::string path;
    touchstone::KinDatabase::Files files;
    touchstone::sqlite::Recovery rows;
  };
  std::vector<PageDatabase> page_databases;
  bool pages_tried = false;
  std::unordered_set<std::string>
      recovery_told;  ///< problems of queries of recovered rows, which may run twice
  touchstone::TextWindows* text_out = nullptr;  ///< where emit_text goes
  std::function<bool(touchstone::MemberInfo&&)> on_member;
  std::function<bool(std::uint32_t, const touchstone::PluginSession::Pull&)> on_member_data;

  /// While extraction goes on: records kept back go to classifiers as soon as they make a batch.
  void pass_records_on() {
    if (pending_records.size() >= kRecordBatch && flush_records) flush_records();
  }
  void worsen(touchstone::ItemState state, std::string_view reason);
  void report(touchstone::ProblemKind kind, std::string_view message);
  /// Calls into a plugin: marks blame, counts time, turns status and sandbox verdict into problems.
  ts_status call(touchstone::HostedPlugin& plugin, const std::function<ts_status(void* self)>& function);
};

struct ts_source {
  std::unique_ptr<touchstone::ByteSource> source;
};

struct ts_query {
  ts_job* job = nullptr;
  std::unique_ptr<touchstone::EvidenceQuery> query;
  std::string name;
  bool recovered = false;
};
