// Shows that a run left the evidence as it was: size and times of each file before and after. Internal to
// lib/pipeline.
#pragma once

#include <string>
#include <vector>

namespace touchstone {

struct EvidenceStamp {
  std::string path;
  std::string
      text;  ///< size, time of last change of content and of the file's entry; "gone" if there is none
};

EvidenceStamp stamp_of(const std::string& path);
/// Those whose stamp is another now, by path.
std::vector<std::string> changed_since(const std::vector<EvidenceStamp>& before);

}  // namespace touchstone
