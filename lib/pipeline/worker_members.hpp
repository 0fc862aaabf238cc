// Pulling members out of containers: shared by the units that examine them and by those that only pass
// through. Internal to lib/pipeline.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/worker_state.hpp"

namespace touchstone {

/// A member's bytes on their way out of a container: all are digested, what fits is kept.
struct PulledMember {
  std::vector<std::byte> bytes;
  Digests digests;
  std::uint64_t size = 0;
  bool cut = false, damaged = false;
};

/// Whether a carved member is pages of tables without their database, as the plugin `carving` names them.
bool is_pages_name(std::string_view name);

PulledMember pull_member(const PluginSession::Pull& pull, Hasher& hasher);

/// The bytes of a carved file, run after run, from those that hold it.
PluginSession::Pull pull_runs(ByteSource& container,
                              const google::protobuf::RepeatedField<std::uint64_t>& runs);

/// What is said while members are taken out of a container: why one could not be, or not whole.
class ReasonSink final : public ResultSink {
 public:
  struct Reason {
    ProblemKind kind = ProblemKind::corrupt;
    std::string text;
  };
  void record(Record&&, const std::string&) override {}
  void finding(Finding&&, bool) override {}
  void problem(const std::string&, ProblemKind kind, std::string_view message, bool) override;
  /// What was said of this member ("member 12: …", docs/plugins.md); null: nothing.
  const Reason* of_member(std::uint32_t ordinal) const;
  const std::optional<Reason>& last() const { return last_; }

 private:
  std::map<std::uint32_t, Reason> members_;
  std::optional<Reason> last_;  ///< of those that name no member
};

/// Index of the plugin in the session; -1: not in this run.
int reader_index(const PluginSession& session, std::string_view name);

}  // namespace touchstone
