// What every image reader starts from: the bytes of the first file, its name, and a way to its further files.
// Readers name files without folders and never see the file system, so that an image inside another one
// (an item) is read by the same code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/exhibit_source.hpp"
#include "evidence/secrets.hpp"

namespace touchstone {

struct ImageInput {
  std::unique_ptr<ByteSource> bytes;
  std::string name;  ///< without folder
  const SiblingOpener& sibling;
  const Secrets& secrets;
  /// Names of the images that lead here (a differencing disk, its parent …), to end chains that loop.
  std::vector<std::string> chain = {};

  std::unique_ptr<ByteSource> open_sibling(const std::string& file) const {
    return sibling ? sibling(file) : nullptr;
  }
};

/// A chain of parents longer than this is no real one.
inline constexpr std::size_t kMaxParents = 64;

/// Reads `input` as whatever its content says. Errors do not name the file: the caller does.
Result<std::unique_ptr<ExhibitSource>> open_image_input(ImageInput input);

/// The same for the bytes of a file of which its child says that they are raw.
Result<std::unique_ptr<ExhibitSource>> open_raw_input(ImageInput input);

/// Opens the image on which `child` builds: `wanted` is the name or path that stands in it (of either kind
/// of slash). Errors: not_found (names it), corrupt (the chain loops), what opening it says.
Result<std::unique_ptr<ExhibitSource>> open_parent(const ImageInput& child, const std::string& wanted,
                                                   bool raw = false);

/// The last component of a path written with slashes or backslashes.
std::string last_component(const std::string& path);

void add_problem(ImageInfo& info, ProblemKind kind, const std::string& message);

}  // namespace touchstone
