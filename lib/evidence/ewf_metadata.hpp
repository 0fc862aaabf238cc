// What an EWF set says of the case and the acquisition: sections header, header2 and xheader, and the numbers
// of the volume section. Hostile text: sizes are bounded, what is kept is valid UTF-8. One thread.
// Format: Joachim Metz, "Expert Witness Compression Format specification", sections 3.4 to 3.6.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "evidence/ewf_segments.hpp"

namespace touchstone {

struct EwfMetadata {
  std::map<std::string, std::string> values;  ///< names as libewf has them: case_number, examiner_name …
  std::string md5, sha1;                      ///< of section xhash
  std::vector<std::string> faults;            ///< sentences about sections that cannot be read, with the file
};

EwfMetadata read_ewf_metadata(EwfSet& set);

}  // namespace touchstone
