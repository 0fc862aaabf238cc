#include <gtest/gtest.h>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

// A plugin of one's own: PluginHost::load("NAME").
std::unique_ptr<PluginHost> load() {
  return PluginHost::open(std::string(TOUCHSTONE_BINARY_DIR) + "/examples/template.tsp", "{}");
}

TEST(Template, NotesTheMarkAtTheStart) {
  const auto host = load();
  TestItem item;
  item.bytes = "TEMPLATE and more";
  ASSERT_TRUE(host->matches(item));
  const Outcome outcome = host->examine(item);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].rule, "begins-with-mark");
  EXPECT_EQ(outcome.findings[0].position, "offset 0 length 8");
}

TEST(Template, SaysNothingOfOtherFiles) {
  const auto host = load();
  TestItem item;
  item.bytes = " TEMPLATE";
  EXPECT_TRUE(host->examine(item).findings.empty());
  item.bytes = "TEMPLAT";
  EXPECT_FALSE(host->matches(item)) << "too short to hold the mark";
  EXPECT_TRUE(host->examine(item).findings.empty());
}

}  // namespace
}  // namespace touchstone::test
