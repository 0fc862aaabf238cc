// Sessions of a disc (ECMA-119 knows one volume; multi-session discs carry one complete volume a session,
// with block numbers counted from the disc's start, as drives and mkisofs -C have it). A drive shows the last
// one. No state, any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone::iso {

struct Session {
  std::uint64_t first_descriptor = 0;  ///< sector of the primary volume descriptor
  std::uint64_t end = 0;               ///< sector behind what the session says it has
  std::uint32_t root_block = 0;
};

/// The oldest first; a session of which a copy stands further on is given once, there. Empty if the disc has
/// no primary descriptor where the first must be. Between two sessions at most 128 MiB are looked through.
std::vector<Session> find_sessions(ByteSource& disc);

}  // namespace touchstone::iso
