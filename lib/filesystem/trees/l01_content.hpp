// The bytes of one file of logical evidence (L01) in the bytes of the image. Internal to
// lib/filesystem/trees.
#pragma once

#include <memory>

#include "filesystem/trees/l01_list.hpp"

namespace touchstone::l01 {

/// The content as `values` describe it: runs of the image ("be"), one byte over and over, or the bytes of
/// another file ("du"). Runs that lead outside the image or hold less than the size says are gaps. Once it
/// was read from first to last, its MD5 is compared with the stored one; a difference is a gap over all of
/// it. `image` outlives it.
std::unique_ptr<ByteSource> open_content(ByteSource& image, const Values& values);

/// Lower-case hex of a stored digest of `size` digits; empty if none is stored.
std::string stored_digest(const Values& values, std::string_view column, std::size_t size);

}  // namespace touchstone::l01
