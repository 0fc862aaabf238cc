// What a worker process may no longer do. Evidence is hostile and its parsers are large: a worker that was
// taken over can neither speak to anyone nor change anything.
//
// Forbidden things that a plugin has no business with (sockets, other programs, threads, opening files for
// writing, touching other processes) are refused with EPERM and remembered, so that the item is marked with
// the plugin's name; other system calls outside the list just fail. Process-wide; call from a process with
// one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

/// Before the worker's first instruction (between fork and exec): no new privileges, no network.
void forbid_network();

/// What is in force, for the report.
struct SandboxLevel {
  bool seccomp = false;
  int landlock_abi = 0;  ///< 0: the kernel has none
  std::string note;      ///< what is missing and why; empty if nothing
};

/// Closes the sandbox: Landlock (reading only below `readable`), resource limits (`memory` bytes of data),
/// seccomp. Everything that loads lazily must have been loaded. Never fails: what the kernel lacks is in the
/// level's note. Does nothing in a build with AddressSanitizer, and says so.
SandboxLevel enter_sandbox(const std::vector<std::string>& readable, std::uint64_t memory);

/// The forbidden thing tried since the last call, in words ("socket() was refused"); empty if none.
std::string take_violation();

}  // namespace touchstone
