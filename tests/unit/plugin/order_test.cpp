// The order in which plugins see an item.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "plugin/loader.hpp"

namespace touchstone {
namespace {

/// Plugins made of tables alone.
class Plugins {
 public:
  void add(const char* name, std::uint32_t roles, std::uint32_t inputs = TS_INPUT_NONE,
           std::vector<const char*> after = {}, bool costly = false) {
    after.push_back(nullptr);
    afters_.push_back(std::move(after));
    ts_plugin_v1 table{};
    table.struct_size = sizeof table;
    table.name = name;
    table.roles = roles;
    table.inputs = inputs;
    table.costly = costly ? 1 : 0;
    table.after = afters_.back().data();
    tables_.push_back(table);
    PluginFile file;
    file.name = name;
    file.table = &tables_.back();
    files_.push_back(file);
  }
  void add_broken(const char* name) {
    PluginFile file;
    file.name = name;
    file.error = "broken";
    files_.push_back(file);
  }
  std::string order(std::string* cycle = nullptr) const {
    std::vector<std::string> on_cycle;
    std::string names;
    for (const PluginFile* plugin : order_plugins(files_, &on_cycle))
      names += (names.empty() ? "" : " ") + plugin->name;
    if (cycle) {
      for (const std::string& name : on_cycle) *cycle += (cycle->empty() ? "" : " ") + name;
    } else {
      EXPECT_TRUE(on_cycle.empty());
    }
    return names;
  }
  void reverse() { std::reverse(files_.begin(), files_.end()); }

 private:
  std::deque<std::vector<const char*>> afters_;
  std::deque<ts_plugin_v1> tables_;
  std::vector<PluginFile> files_;
};

TEST(PluginOrder, StagesFirstThenNames) {
  Plugins plugins;
  plugins.add("text", TS_ROLE_PROVIDER);
  plugins.add("words", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT);
  plugins.add("faces", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {}, true);
  plugins.add("zip", TS_ROLE_EXTRACTOR);
  plugins.add("apps", TS_ROLE_EXTRACTOR, TS_INPUT_RECORDS);
  plugins.add("hashes", TS_ROLE_CLASSIFIER);
  EXPECT_EQ(plugins.order(), "hashes apps zip faces words text");
  plugins.reverse();
  EXPECT_EQ(plugins.order(), "hashes apps zip faces words text");
}

TEST(PluginOrder, AfterIsStrongerThanStageAndName) {
  Plugins plugins;
  plugins.add("a", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {"b"});
  plugins.add("b", TS_ROLE_EXTRACTOR, TS_INPUT_NONE, {"c"});
  plugins.add("c", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT);
  EXPECT_EQ(plugins.order(), "c b a");
}

TEST(PluginOrder, NamesThatAreNotThereDoNotMatter) {
  Plugins plugins;
  plugins.add("a", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT, {"absent", "broken", "b"});
  plugins.add("b", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT);
  plugins.add_broken("broken");
  EXPECT_EQ(plugins.order(), "b a");
}

TEST(PluginOrder, ACycleIsToldAndLeftOut) {
  Plugins plugins;
  plugins.add("a", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {"b"});
  plugins.add("b", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {"c"});
  plugins.add("c", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {"a"});
  plugins.add("free", TS_ROLE_CLASSIFIER);
  std::string cycle;
  EXPECT_EQ(plugins.order(&cycle), "free");
  EXPECT_EQ(cycle, "a b c");
}

TEST(PluginOrder, APluginAfterItselfIsACycle) {
  Plugins plugins;
  plugins.add("a", TS_ROLE_CLASSIFIER, TS_INPUT_NONE, {"a"});
  std::string cycle;
  EXPECT_EQ(plugins.order(&cycle), "");
  EXPECT_EQ(cycle, "a");
}

}  // namespace
}  // namespace touchstone
