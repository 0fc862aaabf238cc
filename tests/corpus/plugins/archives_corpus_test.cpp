// Archives that others made. Expected figures are those of `unzip -l`, `tar -tv` and `gzip -dc | sha256sum`.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "content/content.hpp"
#include "support/plugin_host.hpp"
#include "support/uudecode.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTika =
    "/apache+tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-pkg-module/"
    "src/test/resources/"
    "test-documents/";
constexpr const char* kBulk = "/simsong+bulk_extractor/tests/Data/";

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ArchivesOfOthers : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(std::string(TOUCHSTONE_CORPUS_DIR) + "/apache+tika")) {
      GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
    }
    host_ = PluginHost::load("archives");
    auto typer = MediaTyper::load();
    ASSERT_TRUE(host_ && typer);
    typer_ = typer.take();
  }

  TestItem item(const std::string& bytes) const {
    TestItem out;
    out.bytes = bytes;
    const auto all = std::as_bytes(std::span(out.bytes));
    out.media_type = typer_->detect(all.first(std::min(all.size(), MediaTyper::kMagicBytes)));
    return out;
  }
  TestItem item_of(const std::string& folder, const std::string& name) const {
    TestItem out = item(read(TOUCHSTONE_CORPUS_DIR + folder + name));
    EXPECT_FALSE(out.bytes.empty()) << name;
    EXPECT_TRUE(host_->matches(out)) << name << " " << out.media_type;
    return out;
  }

  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<MediaTyper> typer_;
};

/// SHA-256 of each member that has bytes.
std::multiset<std::string> contents(const Outcome& unpacked) {
  std::multiset<std::string> out;
  for (const auto& [ordinal, data] : unpacked.data) {
    EXPECT_FALSE(data.damaged) << ordinal;
    if (data.size > 0) out.insert(data.sha256);
  }
  return out;
}

TEST_F(ArchivesOfOthers, TheSameDocumentsComeOutOfFourFormats) {
  std::multiset<std::string> first;
  for (const char* name :
       {"test-documents.zip", "test-documents.tgz", "test-documents.7z", "test-documents.rar"}) {
    const TestItem archive = item_of(kTika, name);
    const Outcome listed = host_->list(archive), unpacked = host_->extract(archive);
    const auto files =
        std::count_if(listed.members.begin(), listed.members.end(), [](auto& m) { return !m.is_directory; });
    EXPECT_EQ(files, 9) << name;
    std::uint64_t bytes = 0;
    for (const auto& [ordinal, data] : unpacked.data) bytes += data.size;
    EXPECT_EQ(bytes, 115'328U) << name;
    if (first.empty()) first = contents(unpacked);
    EXPECT_EQ(contents(unpacked), first) << name;
  }
}

TEST_F(ArchivesOfOthers, HaveAsManyMembersAsOtherToolsSay) {
  const std::map<std::string, std::size_t> expected = {{"droste.zip", 2},
                                                       {"moby.zip", 135},
                                                       {"test-zip-of-zip.zip", 1},
                                                       {"testZip_with_DataDescriptor2.zip", 5},
                                                       {"TIKA-216.tgz", 9}};
  for (const auto& [name, members] : expected)
    EXPECT_EQ(host_->list(item_of(kTika, name)).members.size(), members) << name;
  EXPECT_EQ(host_->list(item_of(kBulk, "jpegs.zip")).members.size(), 4U);
  EXPECT_EQ(host_->list(item_of(kBulk, "jpegs.tar.gz")).members.size(), 5U);
  EXPECT_EQ(host_->extract(item_of(kTika, "bob.gz")).data.at(0).sha256,
            "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
}

TEST_F(ArchivesOfOthers, SayWhatIsNotRead) {
  const Outcome locked = host_->list(item_of(kTika, "test-documents-enc.rar"));
  EXPECT_EQ(locked.status, TS_ENCRYPTED);
  const Outcome shrunk = host_->list(item_of(kTika, "moby.zip"));
  EXPECT_FALSE(shrunk.problems.empty());
  for (const TestProblem& problem : shrunk.problems)
    EXPECT_EQ(problem.kind, "unsupported") << problem.message;
}

TEST_F(ArchivesOfOthers, NeverHurtAndAlwaysSaySomething) {
  std::size_t tried = 0;
  for (const auto& entry : fs::recursive_directory_iterator(TOUCHSTONE_CORPUS_DIR)) {
    constexpr std::uintmax_t kLargest = 32U << 20U;
    if (!entry.is_regular_file() || entry.file_size() > kLargest) continue;
    std::string bytes = read(entry.path());
    if (entry.path().extension() == ".uu") bytes = uudecode(bytes);
    TestItem archive = item(bytes);
    if (!host_->matches(archive)) continue;
    archive.max_member_bytes = 64U << 20U;
    SCOPED_TRACE(entry.path().string());
    const Outcome listed = host_->list(archive);
    if (listed.members.empty() && archive.media_type != "application/octet-stream") {
      EXPECT_TRUE(listed.status != TS_OK || archive.bytes.size() < 200) << "nothing listed, nothing said";
    }
    for (std::size_t i = 0; i < listed.members.size(); ++i) EXPECT_EQ(listed.members[i].ordinal, i);
    const Outcome unpacked = host_->extract(archive);
    for (const auto& [ordinal, data] : unpacked.data) EXPECT_LT(ordinal, listed.members.size());
    tried += listed.members.empty() ? 0 : 1;
  }
  EXPECT_GT(tried, 300U);
}

}  // namespace
}  // namespace touchstone::test
