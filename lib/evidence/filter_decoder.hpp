// bzip2, xz, LZMA and zstd streams through libarchive's filters. Forwards only: going back begins at the
// start. One thread.
#pragma once

#include <optional>

#include "evidence/decoded_source.hpp"

namespace touchstone {

enum class StreamFilter { bzip2, xz, lzma, zstd };

/// Decodes all of `base`. Throws std::bad_alloc where libarchive has no memory.
std::unique_ptr<StreamDecoder> make_filter_decoder(std::unique_ptr<ByteSource> base, StreamFilter filter);

}  // namespace touchstone
