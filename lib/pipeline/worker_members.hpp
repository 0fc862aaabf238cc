// Pulling members out of containers: shared by the units that examine them and by those that only pass
// through. Internal to lib/pipeline.
#pragma once

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

PulledMember pull_member(const PluginSession::Pull& pull, Hasher& hasher);

/// The bytes of a carved file, run after run, from those that hold it.
PluginSession::Pull pull_runs(ByteSource& container,
                              const google::protobuf::RepeatedField<std::uint64_t>& runs);

/// What extraction says while a container is only opened on the way to something deeper: kept for the error.
class ReasonSink final : public ResultSink {
 public:
  void record(Record&&, const std::string&) override {}
  void finding(Finding&&, bool) override {}
  void problem(const std::string&, ProblemKind, std::string_view message, bool) override { reason = message; }
  std::string reason;
};

/// Index of the plugin in the session; -1: not in this run.
int reader_index(const PluginSession& session, std::string_view name);

}  // namespace touchstone
