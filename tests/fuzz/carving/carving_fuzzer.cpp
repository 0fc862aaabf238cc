// The input is a window of unallocated space. Members must be numbered from 0 without a gap, lie in the
// window where they begin, and give as many bytes as they promise.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "support/plugin_host.hpp"

extern "C" const ts_plugin_v1* touchstone_plugin_v1();

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::test;
  static const auto host = PluginHost::of(touchstone_plugin_v1());
  TestItem item;
  item.media_type = "application/x-touchstone-unallocated";
  item.bytes.assign(reinterpret_cast<const char*>(data), size);
  const Outcome listed = host->list(item);
  for (std::size_t i = 0; i < listed.members.size(); ++i) {
    const TestMember& member = listed.members[i];
    if (member.ordinal != i || !member.is_carved || member.confidence < 0 || member.confidence > 1000)
      std::abort();
    if (member.offset >= size || member.length == 0 || member.length > size - member.offset) std::abort();
  }
  const Outcome bytes = host->extract(item);
  if (bytes.data.size() != listed.members.size()) std::abort();
  for (const auto& [ordinal, member] : bytes.data) {
    if (member.size != listed.members[ordinal].size || member.damaged) std::abort();
  }
  return 0;
}
