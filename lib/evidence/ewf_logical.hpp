// The list of files of logical evidence (L01): the header of EWF section ltree and the number of bytes that
// all files together have. The entries themselves are read by filesystem/trees/l01_tree.hpp. One thread.
// Format: Joachim Metz, "Expert Witness Compression Format specification", ltree section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "evidence/byte_source.hpp"

namespace touchstone {

/// MD5 of the text behind it (16 bytes), its size (8), Adler-32 of the header with this field zero (4),
/// zeros.
inline constexpr std::size_t kFileListHeader = 48;
/// More than this belongs to no line that a real list has, but for names and extents of hostile ones.
inline constexpr std::size_t kMaxFileListHead = 64 * 1024;

/// What the category "rec" states; nothing if it does not stand at the start of the list.
std::optional<std::uint64_t> logical_media_size(ByteSource& list);

}  // namespace touchstone
