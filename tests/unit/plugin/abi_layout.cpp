// The layout as a C++ compiler sees it, against the one that the C compiler saw.
#include "unit/plugin/abi_layout.h"

#include <gtest/gtest.h>

extern "C" std::size_t layout_in_c(void);

TEST(PluginInterface, IsTheSameInCAndInCpp) {
  EXPECT_EQ(layout_in_c(), sizeof(ts_host_v1) * 1'000'000 + sizeof(ts_plugin_v1) * 1000 + sizeof(ts_finding));
}
