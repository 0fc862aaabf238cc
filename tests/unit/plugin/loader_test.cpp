// Loading plugins: what cannot be used is told apart by its reason, and never called.
#include "plugin/loader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "unit/evidence/scratch.hpp"
#include "unit/plugin/fake_plugin.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

std::string module(const std::string& name) {
  return std::string(TEST_MODULES) + "/" + name + ".tsp";
}

TEST(PluginLoader, LoadsAPluginWrittenInC) {
  const PluginFile file = load_plugin(module("good"));
  ASSERT_TRUE(file.usable()) << file.error;
  EXPECT_EQ(file.name, "good");
  EXPECT_STREQ(file.table->version, "1.0");
  EXPECT_EQ(file.error, "");
  const std::string command = "test \"$(sha256sum < " + module("good") + " | cut -c1-64)\" = " + file.sha256;
  EXPECT_TRUE(test::run(command)) << file.sha256;
}

TEST(PluginLoader, APluginWrittenInCRunsInASession) {
  const PluginFile file = load_plugin(module("good"));
  ASSERT_TRUE(file.usable()) << file.error;
  test::Marks watch;
  PluginSession session({{&file, "{}"}}, watch);
  ASSERT_TRUE(session.status()[0].ok) << session.status()[0].reason;
  ASSERT_EQ(session.rules().size(), 1U);
  EXPECT_EQ(session.rules()[0].rule, "length");
  EXPECT_EQ(session.rules()[0].plugin, "good");
  test::Kept kept;
  const auto out = test::examine(session, "hello, reader", {}, kept);
  EXPECT_EQ(out.state, ItemState::examined) << out.reason;
  ASSERT_EQ(kept.findings.size(), 1U);
  EXPECT_EQ(kept.findings[0].confidence, 13);
  EXPECT_EQ(kept.findings[0].title, "text/plain");
  EXPECT_EQ(kept.findings[0].plugin_version, "1.0");
}

TEST(PluginLoader, NamesWhatIsWrongWithEachFile) {
  const std::pair<const char*, const char*> cases[] = {
      {"no_symbol", "it has no function touchstone_plugin_v1"},
      {"returns_null", "returned nothing"},
      {"wrong_major", "built for plugin interface 2.3, this program has 1.3"},
      {"larger_minor", "built for plugin interface 1.4, this program has 1.3"},
      {"short_table", "too short"},
      {"other_name", "the file is named other_name but the plugin another"},
      {"no_name", "name, version, summary or licence is missing"},
      {"no_version", "name, version, summary or licence is missing"},
      {"no_role", "no role"},
      {"role_unknown", "no role"},
      {"no_create", "create, destroy, begin or finish is missing"},
      {"no_destroy", "create, destroy, begin or finish is missing"},
      {"no_begin", "create, destroy, begin or finish is missing"},
      {"no_finish", "create, destroy, begin or finish is missing"},
      {"no_data", "no data()"},
      {"no_text", "no text()"},
      {"no_records", "no records()"},
      {"no_list", "list() and extract()"},
      {"no_extract", "list() and extract()"},
      {"no_provide", "provide() and what it provides"},
      {"no_facet", "provide() and what it provides"},
  };
  for (const auto& [name, reason] : cases) {
    const PluginFile file = load_plugin(module(name));
    EXPECT_FALSE(file.usable()) << name;
    EXPECT_NE(file.error.find(reason), std::string::npos) << name << ": " << file.error;
    EXPECT_EQ(file.name, name);
  }
}

TEST(PluginLoader, AFileThatOthersMayWriteToIsRefusedBeforeItIsLoaded) {
  const test::Scratch scratch;
  const std::string path = scratch.path("good.tsp");
  fs::copy_file(module("good"), path);
  ASSERT_EQ(chmod(path.c_str(), 0647), 0);
  const PluginFile file = load_plugin(path);
  EXPECT_FALSE(file.usable());
  EXPECT_NE(file.error.find("anybody may write"), std::string::npos) << file.error;
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_TRUE(load_plugin(path).usable());
}

TEST(PluginLoader, WhatIsNoSharedObjectIsRefused) {
  const test::Scratch scratch;
  EXPECT_FALSE(load_plugin(scratch.write("text.tsp", "not a library")).usable());
  EXPECT_FALSE(load_plugin(scratch.write("empty.tsp", "")).usable());
  EXPECT_FALSE(load_plugin(scratch.path("absent.tsp")).usable());
  fs::create_directory(scratch.path("folder.tsp"));
  EXPECT_EQ(load_plugin(scratch.path("folder.tsp")).error, "not a file");
}

TEST(PluginLoader, SortsByNameAndTheFirstFolderWins) {
  const test::Scratch first, second;
  fs::copy_file(module("good"), first.path("good.tsp"));
  fs::copy_file(module("good"), second.path("good.tsp"));
  fs::copy_file(module("no_role"), second.path("no_role.tsp"));
  second.write("zebra.tsp", "no");
  second.write("ignored.so", "no");
  const auto plugins = load_plugins({first.path("."), second.path("."), second.path("absent")});
  ASSERT_EQ(plugins.size(), 3U);
  EXPECT_EQ(plugins[0].name, "good");
  EXPECT_TRUE(plugins[0].path.starts_with(first.path(".")));
  EXPECT_EQ(plugins[1].name, "no_role");
  EXPECT_FALSE(plugins[1].usable());
  EXPECT_EQ(plugins[2].name, "zebra");
}

TEST(PluginLoader, SearchesTheBuildTreeAfterTheFoldersNamed) {
  const auto folders = plugin_folders({"/x", "/y"});
  ASSERT_EQ(folders.size(), 3U);
  EXPECT_EQ(folders[0], "/x");
  EXPECT_EQ(folders[1], "/y");
  EXPECT_EQ(fs::path(folders[2]), fs::path(TOUCHSTONE_BINARY_DIR) / "plugins");
  EXPECT_EQ(fs::canonical(data_folder()), fs::canonical(TOUCHSTONE_SOURCE_DIR));
}

TEST(PluginLoader, NamesRoles) {
  EXPECT_EQ(roles_text(TS_ROLE_CLASSIFIER), "classifier");
  EXPECT_EQ(roles_text(TS_ROLE_PROVIDER | TS_ROLE_EXTRACTOR | TS_ROLE_CLASSIFIER),
            "provider, extractor, classifier");
  EXPECT_EQ(roles_text(0), "");
}

}  // namespace
}  // namespace touchstone
