// The bytes of one member of a zip, whatever its method and encryption. Internal to lib/filesystem/trees.
#pragma once

#include <memory>

#include "filesystem/trees/zip_directory.hpp"

namespace touchstone::zip {

/// A member's data as it lies in the file, `entry` telling what it is. Bytes that the file no longer has are
/// zeros and a gap. `last_secret` is the number of the candidate that opened the last member, tried first.
Result<std::unique_ptr<ByteSource>> open_data(ByteSource& file, std::uint64_t data, const ZipEntry& entry,
                                              const Secrets& secrets, std::size_t& last_secret);

}  // namespace touchstone::zip
