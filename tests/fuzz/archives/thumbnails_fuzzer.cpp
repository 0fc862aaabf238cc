// The bytes are a store of thumbnails. Members must be numbered from 0 without a gap, and bytes must only
// come for members that were listed.
#include <cstdint>
#include <cstdlib>

#include "support/plugin_host.hpp"

extern "C" const ts_plugin_v1* touchstone_plugin_v1();

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::test;
  static const auto host = PluginHost::of(touchstone_plugin_v1());
  TestItem item;
  item.bytes.assign(reinterpret_cast<const char*>(data), size);
  item.max_members = 1000;
  item.max_member_bytes = 1U << 20U;
  const Outcome listed = host->list(item), unpacked = host->extract(item, 0, 1000);
  for (std::size_t i = 0; i < listed.members.size(); ++i) {
    if (listed.members[i].ordinal != i || listed.members[i].path.empty()) std::abort();
  }
  for (const auto& entry : unpacked.data) {
    if (entry.first >= listed.members.size()) std::abort();
  }
  return 0;
}
