// What is said of a deleted entry whose bytes are gone in whole or in part. Internal to lib/filesystem.
#pragma once

#include "filesystem/filesystem.hpp"

namespace touchstone::detail {

/// Adds "overwritten": "all" or "part" and "overwritten_bytes" to the entry's detail, and its note. Nothing
/// is added for no ranges.
void note_overwritten(Entry& entry, const std::vector<ByteRange>& overwritten);

/// The file system clears size and block list of what is deleted: "cleared": true and the note.
void note_cleared(Entry& entry, const std::string& file_system);

}  // namespace touchstone::detail
