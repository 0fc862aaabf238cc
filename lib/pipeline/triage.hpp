// The main job: from exhibits to a filled case database, by worker processes. Ranking and report come after
// it (they know this, it does not know them). One thread; the coordinator never parses evidence bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "casefile/case_writer.hpp"
#include "model/result.hpp"
#include "model/types.hpp"
#include "plugin/loader.hpp"
#include "rules/case_file.hpp"

namespace touchstone {

struct ExhibitOption {
  std::string ref;  ///< empty: made from the file's name
  std::string path;
  Role role = Role::unknown;
};

struct TriageOptions {
  std::string out;
  std::string case_path;  ///< case.toml, or empty
  std::vector<ExhibitOption> exhibits;
  int jobs = -1;             ///< workers; 0: in this process; -1: one a core
  std::uint64_t memory = 0;  ///< bytes for all workers together; 0: half of the machine's
  int item_timeout = 60;     ///< CPU seconds of one plugin on one unit, on top of what its size allows
  std::vector<std::string> only, without, plugin_path;
  std::vector<std::string> keywords;                           ///< further packs
  std::vector<std::pair<std::string, std::string>> hash_sets;  ///< file, category
  std::string previews = "leads";                              ///< none leads all
  std::string operator_name, command;
  std::string rules_dir;      ///< empty: the program's own
  std::string password_file;  ///< for locked volumes and backups; its text is kept nowhere
  bool sandbox = true, update = false, verbose = false;
  bool free_space = true;  ///< unallocated space, slack and volumes that nothing reads, as windows
};

/// What is told while it runs. Calls come often: the receiver decides what to show.
struct Progress {
  std::uint64_t items = 0, items_done = 0, bytes = 0;
  std::uint64_t units_open = 0, findings = 0, problems = 0;
  std::string phase;
};

/// A picture of which a preview is wanted.
struct PreviewWish {
  std::int64_t item_id = 0;
  std::string sha256;
};

enum class RunEnd { complete, stopped };

class Triage {
 public:
  /// Reads and checks all that a person wrote (case file, rules, plugins, exhibits' files), opens or makes
  /// the output folder, and refuses what must be refused. An Error here is exit code 2, or 3 for
  /// ErrorCode::io of an exhibit.
  static Result<std::unique_ptr<Triage>> prepare(const TriageOptions& options);
  ~Triage();

  /// Whether there was nothing left to do in the folder: then it is not opened for writing, and only
  /// case_file(), rules_dir() and notes() may be asked for.
  bool was_complete() const;
  CaseWriter& writer();
  const CaseFile* case_file() const;
  const std::string& rules_dir() const;
  std::int64_t run_id() const;
  /// Notes for the person: plugins that are asked for but not there, a worker left out …
  const std::vector<std::string>& notes() const;

  /// Works off all units. `stop` is looked at between messages: 1 lets what is under way end, 2 ends now.
  RunEnd run(const std::function<void(const Progress&)>& progress, const std::function<int()>& stop);
  /// Renditions of pictures, after ranking; also only in workers.
  RunEnd make_previews(const std::vector<PreviewWish>& wishes, const std::function<int()>& stop);
  /// Ends the run's row. To be called once, after everything else.
  void finish(bool complete);

  struct State;

 private:
  Triage();
  std::unique_ptr<State> state_;
};

}  // namespace touchstone
