// What was compiled before is taken only if it is whole, and gives the same hits.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "rules/keyword_matcher.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

class KeywordCache : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("keyword-cache-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    pack_.info.path = "k.toml";
    KeywordTerm term;
    term.id = "secret";
    term.match = {"secret"};
    pack_.terms = {term};
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::uint64_t> hits(bool fill) {
    const KeywordMatcher::Options options{.cache = folder_.string(), .fill_cache = fill};
    const auto matcher = KeywordMatcher::compile(std::span(&pack_, 1), options);
    EXPECT_TRUE(matcher);
    std::vector<std::uint64_t> out;
    EXPECT_TRUE(matcher->scan("a secret; no secretary; SECRET", [&](const KeywordHit& hit) {
      out.push_back(hit.from);
      return true;
    }));
    return out;
  }
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> out;
    if (!fs::exists(folder_)) return out;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream text;
      text << in.rdbuf();
      out[entry.path().string()] = text.str();
    }
    return out;
  }

  fs::path folder_;
  KeywordPack pack_;
  const std::vector<std::uint64_t> expected_ = {2, 24};
};

TEST_F(KeywordCache, IsFilledOnlyWhenAsked) {
  EXPECT_EQ(hits(false), expected_);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(hits(true), expected_);
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(fs::status(files().begin()->first).permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(KeywordCache, IsRead) {
  hits(true);
  const std::string path = files().begin()->first;
  // Nothing but the file can say that another word was meant.
  pack_.terms[0].match = {"no"};
  const std::string other = [&] {
    hits(true);
    for (const auto& [name, text] : files())
      if (name != path) return text;
    return std::string();
  }();
  std::ofstream(path, std::ios::binary) << other;
  pack_.terms[0].match = {"secret"};
  EXPECT_EQ(hits(false), (std::vector<std::uint64_t>{10}));
}

TEST_F(KeywordCache, ChangedOrForeignFilesAreLeftAlone) {
  hits(true);
  const auto [path, text] = *files().begin();
  for (const std::size_t at : {std::size_t{3}, std::size_t{64}, text.size() / 2, text.size() - 1}) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    std::ofstream(path, std::ios::binary) << bad;
    EXPECT_EQ(hits(false), expected_) << at;
  }
  std::ofstream(path, std::ios::binary) << text.substr(0, 80);
  EXPECT_EQ(hits(true), expected_);
  EXPECT_EQ(files().at(path), text) << "a bad file is replaced";
  chmod(path.c_str(), 0666);
  EXPECT_EQ(hits(false), expected_);
}

TEST_F(KeywordCache, FolderThatCannotBeMadeIsNoError) {
  std::ofstream(folder_.string()) << "a file";
  EXPECT_EQ(hits(true), expected_);
}

}  // namespace
}  // namespace touchstone
