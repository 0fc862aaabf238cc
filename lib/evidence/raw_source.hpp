// Raw images, whole or in numbered parts (disk.001, disk.000, disk.aa …), as one ByteSource. Only the naming
// of the first part says that there are more: content cannot. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Name of part `index` (from 0) of a split raw image whose first part is named `first`; nothing if that is
/// no first part's name or the names are used up. Digits grow beyond 999; letters end at "zz".
std::optional<std::string> raw_part_name(const std::string& first, std::uint32_t index);

struct RawParts {
  std::unique_ptr<ByteSource> bytes;  ///< all parts as one
  ImageInfo info;                     ///< files, and problems: parts missing, of unequal size
};

/// Joins the parts of `input` if it is the first of several; otherwise its bytes as they are. Errors: invalid
/// (a later part was given: says which is the first).
Result<RawParts> join_raw_parts(ImageInput& input);

/// An exhibit over bytes as they are.
std::unique_ptr<ExhibitSource> make_raw_exhibit(std::unique_ptr<ByteSource> bytes, ImageInfo info,
                                                const std::string& format = "raw");

}  // namespace touchstone
