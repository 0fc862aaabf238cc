// Archives that others made. Expected figures are those of `unzip -l`, `tar -tv` and `gzip -dc | sha256sum`.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "content/content.hpp"
#include "support/file_contents.hpp"
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
  return touchstone::test::contents_of(path);
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
  // Each member says by what it is packed, in the words of 7-Zip.
  const Outcome given = host_->extract(item_of(kTika, "moby.zip"));
  std::map<std::string, std::size_t> ours, theirs;
  for (const TestProblem& problem : given.problems) {
    const std::size_t by = problem.message.find("packed by "), comma = problem.message.find(',');
    ASSERT_NE(by, std::string::npos) << problem.message;
    ++ours[problem.message.substr(by + 10, comma - by - 10)];
  }
  const std::string command = "7z l -slt '" + std::string(TOUCHSTONE_CORPUS_DIR) + kTika + "moby.zip'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 512> line{};
  while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    const std::string_view text(line.data());
    for (const std::string_view method : {"Implode", "Shrink", "Reduce"})
      if (text.starts_with("Method = ") && text.find(method) != std::string_view::npos)
        ++theirs[std::string(method)];
  }
  if (theirs.empty()) GTEST_SKIP() << "7z is not installed";
  EXPECT_EQ(ours, theirs);
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
