// DIR/manifest.sha256: the digest of every file of an output folder, in the format of `sha256sum` (so that
// `sha256sum -c` checks it), sorted by path. Left out: the manifest itself, audit.jsonl (which grows with
// every command and chains its own lines) log/ and .lock. One writer at a time. Format: GNU coreutils manual,
// "md5sum invocation" (a leading backslash where the name holds \ or a line end).
#pragma once

#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

/// Writes DIR/manifest.sha256 anew from what lies there.
Status write_manifest(const std::string& dir);

struct ManifestDifference {
  enum class Kind { changed, missing, unlisted, unreadable };
  Kind kind = Kind::changed;
  std::string path;     ///< relative to the folder; may hold any bytes
  std::string message;  ///< one line for a person
};

/// What differs between the manifest and the folder; empty if nothing does. Fails where there is no manifest
/// or a line of it cannot be read.
Result<std::vector<ManifestDifference>> verify_manifest(const std::string& dir);

}  // namespace touchstone
