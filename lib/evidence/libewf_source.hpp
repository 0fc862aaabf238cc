// Images through libewf, for the variants that our own reader does not know (Ex01) as far as the library at
// hand reads them. libewf reads through our callbacks, so that any ByteSource will do. It keeps about 137
// bytes a chunk in memory. One thread.
#pragma once

#include <memory>

#include "evidence/image_input.hpp"

namespace touchstone {

/// Only the given file: sets of several segments of these variants are left to the tools that made them.
/// Error unsupported: libewf cannot open it (says why).
Result<std::unique_ptr<ExhibitSource>> open_with_libewf(ImageInput input);

}  // namespace touchstone
