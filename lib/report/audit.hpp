// DIR/audit.jsonl: one line of canonical JSON for each command that wrote into an output folder. Each line
// holds the SHA-256 of the line before it, so that a line changed, removed or put in later is noticed. It
// proves order and integrity against accident and casual change, not against somebody who writes the whole
// file again: the digest of the last line, noted elsewhere, does that. Appending locks the file; any number
// of processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

struct AuditEntry {
  std::int64_t at = 0;  ///< microseconds since 1970-01-01 UTC
  std::string command;  ///< the command line as given
  std::string operator_name;
  std::string version;
  std::string outcome;  ///< e.g. "complete", "exit 1: 3 items failed"
};

/// Appends one line and flushes it to the disk.
Status append_audit(const std::string& dir, const AuditEntry& entry);

/// Where the chain is broken, one line for a person each; empty if it holds (or if there is no audit yet).
Result<std::vector<std::string>> verify_audit(const std::string& dir);

}  // namespace touchstone
