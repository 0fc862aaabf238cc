// What holds for every plugin of the build, whoever wrote it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

// Names in use or reserved: `after` may name plugins that are not built here.
const std::set<std::string> kNames = {"hashes",  "keywords", "patterns", "archives", "documents",
                                      "mail",    "pictures", "video",    "explicit", "faces",
                                      "objects", "ocr",      "appdata",  "carving",  "thumbnails"};
// SPDX names of licences that plugins here may have (docs/licences.md).
const std::set<std::string> kLicences = {
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "GPL-2.0-or-later", "GPL-3.0-or-later"};
// Words that claim more than bytes can show.
const std::regex kClaims(
    R"(\b(all|every|always|never|any|proves?|proof|guilty|suspect|illegal|criminal|detects? (child|abuse))\b)",
    std::regex::icase);

class EveryPlugin : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    library_ = dlopen(GetParam().c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(library_) << dlerror();
    using Entry = const ts_plugin_v1* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(library_, "touchstone_plugin_v1"));
    ASSERT_TRUE(entry);
    table_ = entry();
    ASSERT_TRUE(table_);
  }
  void* library_ = nullptr;
  const ts_plugin_v1* table_ = nullptr;
};

TEST_P(EveryPlugin, SaysWhatItIs) {
  EXPECT_EQ(table_->struct_size, sizeof(ts_plugin_v1));
  EXPECT_EQ(table_->abi_major, TS_ABI_MAJOR);
  EXPECT_EQ(std::filesystem::path(GetParam()).stem(), table_->name);
  EXPECT_TRUE(std::regex_match(table_->name, std::regex("[a-z][a-z0-9_]*")));
  EXPECT_TRUE(std::regex_match(table_->version, std::regex(R"([0-9]+(\.[0-9]+)*)"))) << table_->version;
  EXPECT_TRUE(kLicences.contains(table_->licence)) << table_->licence;
}

TEST_P(EveryPlugin, ClaimsNoMoreThanItDoes) {
  const std::string summary = table_->summary;
  EXPECT_FALSE(summary.empty());
  EXPECT_LE(summary.size(), 100U);
  EXPECT_EQ(summary.find('\n'), std::string::npos);
  EXPECT_FALSE(summary.ends_with('.')) << "one line, without a final stop";
  EXPECT_FALSE(std::regex_search(summary, kClaims)) << summary;
}

TEST_P(EveryPlugin, HasTheCallsThatItsRolesNeed) {
  EXPECT_NE(table_->roles & (TS_ROLE_PROVIDER | TS_ROLE_EXTRACTOR | TS_ROLE_CLASSIFIER), 0U);
  EXPECT_TRUE(table_->scope == TS_SCOPE_CONTENT || table_->scope == TS_SCOPE_ITEM);
  EXPECT_EQ((table_->roles & TS_ROLE_PROVIDER) != 0, table_->provides != 0);
  const bool reads_containers = (table_->inputs & TS_INPUT_MEMBERS) != 0;
  EXPECT_TRUE(!reads_containers || (table_->roles & TS_ROLE_EXTRACTOR) != 0);
  EXPECT_TRUE(!table_->matcher.name_globs || table_->scope == TS_SCOPE_ITEM) << "content has no name";
  for (const void* call :
       {reinterpret_cast<const void*>(table_->create), reinterpret_cast<const void*>(table_->destroy),
        reinterpret_cast<const void*>(table_->begin), reinterpret_cast<const void*>(table_->finish)}) {
    EXPECT_TRUE(call);
  }
}

TEST_P(EveryPlugin, NamesKnownPluginsOnly) {
  if (!table_->after) return;
  for (const char* const* name = table_->after; *name; ++name) {
    EXPECT_TRUE(kNames.contains(*name)) << *name;
    EXPECT_STRNE(*name, table_->name);
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(Built, EveryPlugin, testing::ValuesIn(built_plugins()), name_of);

TEST(BuiltPlugins, AreThere) {
  EXPECT_FALSE(built_plugins().empty());
}

}  // namespace
}  // namespace touchstone::test
