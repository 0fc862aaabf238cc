// Offsets are those of `grep -b -o -i`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

TEST(KeywordsInTextOfOthers, StandWhereGrepFindsThem) {
  const std::string file = std::string(TOUCHSTONE_CORPUS_DIR) +
                           "/simsong+bulk_extractor/tests/Data/MailUserAgents/files/hareandtoroise.txt";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
  const auto words =
      std::filesystem::temp_directory_path() / ("keywords_corpus." + std::to_string(getpid()) + ".txt");
  std::ofstream(words) << "tortoise\n";
  const auto host = PluginHost::load("keywords", nlohmann::json{{"files", {words.string()}}}.dump());
  std::filesystem::remove(words);
  ASSERT_TRUE(host);
  TestItem item;
  item.bytes = touchstone::test::contents_of(file);
  const auto positions = [&] {
    std::vector<std::string> out;
    for (const auto& finding : host->examine(item).findings) out.push_back(finding.position);
    return out;
  };
  item.media_type = "text/plain";
  EXPECT_THAT(positions(), testing::ElementsAre("text 19-27", "text 94-102", "text 414-422", "text 645-653"));
  item.no_text = true;
  EXPECT_THAT(positions(), testing::ElementsAre("offset 19 length 8", "offset 94 length 8",
                                                "offset 414 length 8", "offset 645 length 8"));
}

}  // namespace
}  // namespace touchstone::test
