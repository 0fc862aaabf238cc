// What a UDF volume says of itself, for the report: its files are not read. Fields of ECMA-167 part 3
// (anchor, primary and logical volume descriptors) and OSTA UDF 2.60 §2.1 (dstring).
#pragma once

#include <string>

#include "evidence/byte_source.hpp"

namespace touchstone {

struct UdfNames {
  std::string label;  ///< logical volume identifier, valid UTF-8
  std::string
      volume_set;  ///< volume set identifier; by rule it begins with 16 characters unique to the volume
};

/// Empty where no anchor leads to a descriptor. Reads a few sectors.
UdfNames udf_names(ByteSource& volume);

}  // namespace touchstone
