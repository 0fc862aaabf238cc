// The first byte picks the media type, the rest is the archive. Members must be numbered from 0 without a
// gap, and bytes must only come for members that were listed.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "support/plugin_host.hpp"

extern "C" const ts_plugin_v1* touchstone_plugin_v1();

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::test;
  static constexpr const char* kTypes[] = {
      "application/zip",         "application/x-tar",           "application/gzip",
      "application/x-bzip2",     "application/x-7z-compressed", "application/x-rar",
      "application/octet-stream"};
  static const auto host = PluginHost::of(touchstone_plugin_v1());
  if (size == 0) return 0;
  TestItem item;
  item.media_type = kTypes[data[0] % std::size(kTypes)];
  item.bytes.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  item.max_members = 1000;
  item.max_member_bytes = 1U << 20U;
  const Outcome listed = host->list(item);
  for (std::size_t i = 0; i < listed.members.size(); ++i) {
    if (listed.members[i].ordinal != i || listed.members[i].path.empty()) std::abort();
  }
  const Outcome unpacked = host->extract(item, 0, 1000);
  for (const auto& entry : unpacked.data) {
    if (entry.first >= listed.members.size()) std::abort();
  }
  return 0;
}
