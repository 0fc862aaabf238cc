// Passwords and recovery keys for locked exhibits, volumes and backups. They come from a file, never from the
// command line, and are never stored, logged or part of a message.
#pragma once

#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

struct Secrets {
  /// Candidates in the order of the file: each is tried as a password, and as a recovery key where it has the
  /// form of one. Bytes as they stand in the file (UTF-8 expected).
  std::vector<std::string> candidates;
};

inline constexpr std::size_t kMaxSecrets = 100;
inline constexpr std::size_t kMaxSecretBytes = 1024;

/// One candidate a line; a line's end (LF or CR LF) does not belong to it, empty lines are left out, nothing
/// else is cut. Errors: io (cannot be read), invalid (too many or too long, with the line number).
Result<Secrets> load_secrets(const std::string& path);

}  // namespace touchstone
