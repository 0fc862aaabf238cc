// Runs a function in a sandboxed process of its own: for the little that has to be known of evidence before
// there are workers. The coordinator itself parses none. Internal to lib/pipeline; call while the process has
// one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

/// Gives what `work` gave, or how its process ended (crash, limit: after `seconds` of CPU time or ten times
/// that by the clock, or 1 GiB of memory). Files may be read, nothing written, no one spoken to; at most 16
/// MiB come back.
Result<std::string> run_apart(const std::function<Result<std::string>()>& work, unsigned seconds = 60);

/// list_exhibit_files() of lib/evidence, run apart.
Result<std::vector<std::string>> list_exhibit_files_apart(const std::string& path);

}  // namespace touchstone
