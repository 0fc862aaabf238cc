// EWF (E01) through libewf. All segment files are opened when the image is, so that reading works after the
// sandbox has closed the file system. Bad chunks are listed as gaps; bytes that libewf still gives for a
// chunk with a wrong checksum are passed on as they are, the same as other tools that use libewf show.
// Damage that costs no media bytes (a stored hash, one of two copies, a section descriptor) becomes a problem
// of kind integrity, and libewf reads through a view without it (ewf_mend.hpp, ewf_view.hpp). One thread.
// libewf keeps its chunk table in memory (about 137 bytes a chunk of 32 KiB).
#pragma once

#include <memory>
#include <string>

#include "evidence/exhibit_source.hpp"

namespace touchstone {

/// Errors: io, corrupt (says what libewf or the headers contradict), not_found (nothing readable without the
/// missing segment), limit (more segments than files may be open).
Result<std::unique_ptr<ExhibitSource>> open_ewf(const std::string& path);

}  // namespace touchstone
