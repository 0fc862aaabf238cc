// The text that describes a VMDK: its extents and its parent. Hostile text, bounded. One thread.
// Format: VMware, "Virtual Disk Format 5.0", section "The Descriptor File".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone {

struct VmdkExtent {
  std::uint64_t sectors = 0;
  std::string type;          ///< FLAT, VMFS, SPARSE, VMFSSPARSE, SESPARSE, ZERO …
  std::string file;          ///< as written
  std::uint64_t offset = 0;  ///< in sectors, of flat extents
};

struct VmdkDescriptor {
  std::string create_type, content_id, parent_id, parent_hint;
  bool encrypted = false;
  std::vector<VmdkExtent> extents;

  bool has_parent() const { return !parent_id.empty() && parent_id != "ffffffff"; }
};

VmdkDescriptor parse_vmdk_descriptor(std::string_view text);

}  // namespace touchstone
