// What the parts of a triage share. Internal to lib/pipeline.
#pragma once

#include <map>
#include <queue>
#include <set>

#include "pipeline/evidence_watch.hpp"
#include "pipeline/triage.hpp"
#include "pipeline/worker_process.hpp"
#include "protocol.pb.h"

namespace touchstone {

struct ExhibitPlan {
  std::string ref, path, time_zone;
  Role role = Role::unknown;
  std::vector<std::string> files;
  std::vector<EvidenceStamp> stamps;  ///< of the files, before anything was opened
  std::string error;                  ///< cannot be opened at all
  std::uint64_t packed_bytes = 0;  ///< of a packed stream: all of it is gone through before its end is known
  std::int64_t id = 0;             ///< row
};

struct Triage::State {
  TriageOptions options;
  std::unique_ptr<CaseFile> case_file;
  std::string case_text;
  std::string rules_dir;
  std::vector<ExhibitPlan> exhibits;
  std::vector<PluginFile> plugin_files;
  std::vector<const PluginFile*> plugins;  ///< of this run, in order
  std::vector<std::string> notes;
  wire::Config config;
  std::string fingerprint, components;
  std::unique_ptr<CaseWriter> writer;
  std::int64_t run_id = 0;
  bool complete_before = false;
  int jobs = 1;
};

/// Reads and checks; fills everything but the writer. Errors as Triage::prepare().
Status plan_triage(Triage::State& state);
/// --update: lets the folder be made again with what has changed since the fingerprint `before`, as far as
/// that reaches. Error invalid: the exhibits themselves have changed.
Status update_folder(Triage::State& state, const std::string& before);
/// The fingerprint: a canonical JSON text of all that decides results, and its SHA-256.
std::string fingerprint_text(const Triage::State& state);
/// Versions of every library, the kernel and the processor's class, as JSON.
std::string components_text();

/// Applies results of workers to the case database.
class ResultWriter {
 public:
  ResultWriter(Triage::State& state, Progress& progress)
      : state_(state), writer_(*state.writer), progress_(progress) {}
  struct Directory {
    std::int64_t exhibit = 0;
    std::string volume;    ///< "exhibit:slot"
    int depth = 0;         ///< below the root
    std::string identity;  ///< what it is on disk
    std::int64_t item = 0;
  };
  struct NewUnit {
    std::int64_t id;
    int level;
    std::int64_t priority;
    std::optional<Directory> directory = {};  ///< of a unit that lists one
  };
  static Directory directory_of(std::int64_t exhibit_id, const wire::Unit& spec, std::int64_t item_id);
  /// How the identity of a directory begins that was reached by a deleted name.
  static constexpr std::string_view kDeletedDirectory = "deleted ";
  /// Whether a result speaks only of the unit's own items: a worker may have been taken over by evidence.
  static bool is_sound(const wire::Unit& spec, const wire::Result& result);
  /// Rows of one part; units that follow are added and returned.
  std::vector<NewUnit> apply(const UnitRow& unit, const wire::Unit& spec, const wire::Result& result);
  /// A unit that cannot be worked off: its items get a state and a problem.
  void fail(const UnitRow& unit, const wire::Unit& spec, ItemState item_state, ProblemKind kind,
            const std::string& message);
  void ready(const wire::Ready& ready);
  static void add_problem(CaseWriter& writer, const wire::Problem& problem, std::int64_t item_id,
                          std::int64_t exhibit_id, std::int64_t content_id, std::int64_t unit_id);

 private:
  std::vector<NewUnit> add_items(const UnitRow& unit, const wire::Unit& spec, const wire::Result& result);
  void add_volumes(const UnitRow& unit, const wire::Unit& spec, const wire::Result& result,
                   std::vector<NewUnit>& next);
  struct Fate {
    std::int64_t content_id = 0;
    bool keep_content_rows = false;  ///< the first analysis of these bytes
  };
  using Fates = std::map<std::uint32_t, Fate>;  ///< by index of the item in its unit
  Fates add_examined(const UnitRow& unit, const wire::Unit& spec, const wire::Result& result);
  void add_damages(const UnitRow& unit, const wire::Result& result);
  void root_not_listed(const UnitRow& unit, const wire::Unit& spec, ItemState state,
                       const std::string& reason);
  void add_rows(const UnitRow& unit, const wire::Result& result, const Fates& fates);
  /// The item that a member found inside a group of members belongs to.
  std::int64_t parent_of(const UnitRow& unit, const wire::Unit& spec, const std::string& locator) const;
  NewUnit add_unit(std::int64_t exhibit_id, const wire::Unit& spec, std::int64_t item_id,
                   std::int64_t priority);

  Triage::State& state_;
  CaseWriter& writer_;
  Progress& progress_;
};

}  // namespace touchstone
