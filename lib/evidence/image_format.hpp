// What kind of image a file is, by its first and last bytes, never by its name. To add a format: one row in
// the table of image_format.cpp, and a reader in open_image_input() (exhibit_source.cpp) once there is one.
#pragma once

#include <string>

#include "evidence/byte_source.hpp"

namespace touchstone {

enum class ImageFormat {
  raw,
  ewf,
  ewf2,
  vmdk,
  qcow,
  vhd,
  vhdx,
  vdi,
  parallels,
  dmg,
  aff,
  archive,      ///< zip, tar and compressed files: trees, or what one unpacks
  unsupported,  ///< recognised; nothing here reads it
};

struct DetectedFormat {
  ImageFormat format = ImageFormat::raw;
  std::string name;    ///< for people: "VMDK (VMware disk)"
  std::string advice;  ///< what to do about one that is not read
};

/// Reads at most the first and the last few kilobytes. What no signature fits is raw.
Result<DetectedFormat> detect_image_format(ByteSource& file);

}  // namespace touchstone
