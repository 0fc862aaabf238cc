// Chat exports: records must have a kind that the case database knows.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "support/plugin_host.hpp"

extern "C" const ts_plugin_v1* touchstone_plugin_v1();

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone::test;
  static const std::set<std::string> kinds = {"message", "attachment", "call",
                                              "contact", "account",    "location"};
  static const auto host = PluginHost::of(touchstone_plugin_v1());
  TestItem item;
  item.bytes.assign(reinterpret_cast<const char*>(data), size);
  item.no_text = true;
  for (const char* path : {"/result.json", "/com.hammerandchisel.discord/fsCachedData/A"}) {
    item.path = path;
    const Outcome outcome = host->examine(item);
    for (const auto& record : outcome.records)
      if (!kinds.contains(record.kind)) std::abort();
  }
  return 0;
}
