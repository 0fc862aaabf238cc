// Hands units to workers and takes their results: order, deadlines, blame, retries. Internal to lib/pipeline.
// One thread, one poll loop; holds 16 bytes a pending unit and a few units a worker.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "pipeline/directory_gate.hpp"
#include "pipeline/triage_state.hpp"

namespace touchstone {

class Worker;

/// Before a level of containers is opened: of equal containers only so many places are
/// (container_places.cpp).
void limit_container_places(CaseWriter& writer, int level);

/// Databases of the exhibit that an app's definition read, for a unit that wants to know them.
void add_kin(CaseWriter& writer, std::int64_t exhibit_id, wire::Unit& unit);

class Coordinator {
 public:
  Coordinator(Triage::State& state, Progress& progress);
  ~Coordinator();
  /// Works until nothing is pending. `stop` as in Triage::run().
  RunEnd run(const std::function<void(const Progress&)>& report, const std::function<int()>& stop);

 private:
  struct Task {
    UnitRow row;
    wire::Unit spec;
  };
  struct Crew {  ///< a worker and what it was given
    std::unique_ptr<WorkerHandle> process;
    std::deque<Task> given;  ///< in the order sent; results come in this order
    bool ready = false;
    std::vector<ResultWriter::NewUnit> held_back;  ///< units announced by parts of a result wait for its end
    bool partial = false;    ///< rows of the first unit are in the database without its end
    std::string killed_for;  ///< we ended it: "timeout" or "protocol"
  };
  struct Pending {
    std::int64_t priority, id;
    bool operator<(const Pending& other) const {
      return priority != other.priority ? priority < other.priority : id > other.id;
    }
  };

  void load_pending();
  bool fetch(Task& task);
  void give(Crew& crew);
  bool anything_left() const;
  void take_messages(Crew& crew);
  bool take_result(Crew& crew, const wire::Result& result);
  void check_deadline(Crew& crew);
  void worker_ended(Crew& crew);
  void blame(Task task, int plugin, ProblemKind kind, const std::string& how);
  void split_group(const Task& task);
  void queue(const ResultWriter::NewUnit& unit);
  /// A unit is off the books: directories below it may follow.
  void finished(std::int64_t unit);
  void open_directories();
  void put_back(Task&& task);
  void start_worker(Crew& crew);
  void setup_failed(Crew& crew, const WorkerHandle::End& end);
  void commit_if_due(bool now);
  void record_setup(const wire::Ready& ready);
  RunEnd run_in_process(const std::function<void(const Progress&)>& report, const std::function<int()>& stop);
  std::uint64_t allowance_us(const Task& task) const;

  Triage::State& state_;
  CaseWriter& writer_;
  Progress& progress_;
  ResultWriter results_;
  DirectoryGate directories_;
  std::vector<Crew> crews_;
  std::map<int, std::priority_queue<Pending>> pending_;  ///< by level
  std::deque<Task> again_;                               ///< taken from a worker that ended
  int open_level_ = 0;  ///< containers up to this depth have been let through
  bool setup_recorded_ = false;
  std::map<int, std::size_t> under_way_;  ///< by level
  std::size_t deaths_in_setup_ = 0, kills_in_setup_ = 0;
  std::uint64_t last_commit_us_ = 0, rows_since_commit_ = 0;
};

}  // namespace touchstone
