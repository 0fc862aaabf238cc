// Recognises files that are trees: archives whose members are the exhibit's files. By content, never by name.
#pragma once

#include <span>
#include <string>

#include "evidence/byte_source.hpp"

namespace touchstone {

inline constexpr std::size_t kTarBlock = 512;

/// "zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"; empty for anything else. Of a compressed file the
/// first block is decoded. A zip may begin with other bytes (a self-extractor) where its directory at the end
/// fits.
std::string tree_format(ByteSource& file);

/// True if the block's checksum, counted with signed or unsigned bytes, is the one stored in it: a tar
/// header of any dialect. An empty block is none.
bool is_tar_header(std::span<const std::byte> block);

/// The compressed file of a tree of that format as one stream of tar blocks, its size unknown until its end
/// was read; null for "tar" and for trees that are no compressed tar. `file` outlives it.
std::unique_ptr<ByteSource> make_tar_stream(ByteSource& file, const std::string& format);

}  // namespace touchstone
