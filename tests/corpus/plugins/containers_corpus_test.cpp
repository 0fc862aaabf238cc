// Containers that others made, against other people's tools: streams of compound files against 7-Zip, members
// of Office documents against unzip, one set of pictures in four formats against each other, and what
// MANIFEST.tsv says is encrypted.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>

#include "content/content.hpp"
#include "support/cli_runner.hpp"
#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"
#include "support/uudecode.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using touchstone::testing::have;
using touchstone::testing::run;

constexpr const char* kBulk = "/simsong+bulk_extractor/tests/Data/";
constexpr const char* kLibarchive = "/libarchive+libarchive/libarchive/test/";
constexpr const char* kTika = "/apache+tika/tika-parsers";

std::string read(const fs::path& path) {
  return touchstone::test::contents_of(path);
}

class ContainersOfOthers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(std::string(TOUCHSTONE_CORPUS_DIR) + "/apache+tika"))
      GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
    host_ = PluginHost::load("archives");
    auto typer = MediaTyper::load();
    ASSERT_TRUE(host_ && typer);
    typer_ = typer.take();
  }
  TestItem item(std::string bytes) const {
    TestItem out;
    out.bytes = std::move(bytes);
    const auto all = std::as_bytes(std::span(out.bytes));
    out.media_type = typer_->detect(all.first(std::min(all.size(), MediaTyper::kMagicBytes)));
    return out;
  }
  /// Files of the corpus, or of a part of it, whose names end so.
  static std::vector<fs::path> files(const std::string& below, const std::set<std::string>& endings) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(TOUCHSTONE_CORPUS_DIR + below)) {
      if (entry.is_regular_file() && endings.contains(entry.path().extension().string()))
        out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<MediaTyper> typer_;
};

std::multiset<std::string> contents(const Outcome& unpacked) {
  std::multiset<std::string> out;
  for (const auto& [ordinal, data] : unpacked.data) {
    EXPECT_FALSE(data.damaged) << ordinal;
    if (data.size > 0) out.insert(data.bytes);
  }
  return out;
}

TEST_F(ContainersOfOthers, StreamsOfCompoundFilesAreThoseOf7Zip) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  std::size_t compared = 0;
  for (const fs::path& path : files("", {".doc", ".xls", ".ppt", ".vsd", ".automaticDestinations-ms"})) {
    const TestItem document = item(read(path));
    if (!document.bytes.starts_with("\xD0\xCF\x11\xE0")) continue;
    SCOPED_TRACE(path.filename().string());
    ASSERT_TRUE(host_->matches(document)) << document.media_type;
    const Outcome listed = host_->list(document);
    const touchstone::testing::FreshFolder folder;
    if (run({"7z", "x", "-o" + folder.text("out"), path.string()}).exit_code != 0) continue;  // cut files
    const auto ours = contents(host_->extract(document));
    const bool encrypted = std::any_of(listed.members.begin(), listed.members.end(),
                                       [](const TestMember& member) { return member.is_encrypted; });
    for (const auto& entry : fs::recursive_directory_iterator(folder.path("out"))) {
      if (!entry.is_regular_file() || entry.file_size() == 0) continue;
      const bool there = ours.contains(read(entry.path()));
      EXPECT_TRUE(there || encrypted) << entry.path().filename();
      compared += there ? 1 : 0;
    }
  }
  EXPECT_GT(compared, 80U);
}

TEST_F(ContainersOfOthers, OfficeDocumentsHaveTheMembersThatUnzipLists) {
  if (!have("unzip")) GTEST_SKIP() << "needs unzip";
  std::size_t documents = 0, pictures = 0;
  for (const fs::path& path :
       files(kTika, {".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar", ".apk"})) {
    const auto result = run({"unzip", "-Z1", path.string()});
    if (result.exit_code != 0) continue;
    SCOPED_TRACE(path.filename().string());
    const TestItem document = item(read(path));
    ASSERT_TRUE(host_->matches(document)) << document.media_type;
    std::multiset<std::string> theirs, ours;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);)
      theirs.insert(line.ends_with('/') ? line.substr(0, line.size() - 1) : line);
    const Outcome listed = host_->list(document), unpacked = host_->extract(document);
    for (const TestMember& member : listed.members) ours.insert(member.path);
    EXPECT_EQ(ours, theirs);
    for (const auto& [ordinal, data] : unpacked.data)
      pictures += item(data.bytes).media_type.starts_with("image/") ? 1 : 0;
    ++documents;
  }
  EXPECT_GE(documents, 20U);
  EXPECT_GE(pictures, 10U);
}

TEST_F(ContainersOfOthers, TheSamePicturesComeOutOfZipTarAndBothFormsOfRar) {
  const auto wanted =
      contents(host_->extract(item(read(TOUCHSTONE_CORPUS_DIR + std::string(kBulk) + "jpegs.zip"))));
  ASSERT_EQ(wanted.size(), 4U);
  for (const char* name : {"jpegs.tar.gz", "jpegs.rar", "jpegs.rar5"}) {
    const TestItem archive = item(read(TOUCHSTONE_CORPUS_DIR + std::string(kBulk) + name));
    EXPECT_TRUE(host_->list(archive).problems.empty()) << name;
    EXPECT_EQ(contents(host_->extract(archive)), wanted) << name;
  }
}

TEST_F(ContainersOfOthers, WhatIsEncryptedIsReportedSo) {
  std::vector<std::pair<std::string, std::string>> archives;
  for (const char* name : {"jpegs.rar-encrypted", "jpegs.rar5-encrypted"})
    archives.emplace_back(name, read(TOUCHSTONE_CORPUS_DIR + std::string(kBulk) + name));
  for (const auto& entry : fs::directory_iterator(TOUCHSTONE_CORPUS_DIR + std::string(kLibarchive))) {
    const std::string name = entry.path().filename().string();
    if (name.find("encrypt") != std::string::npos) archives.emplace_back(name, uudecode(read(entry.path())));
  }
  for (const fs::path& path : files("", {".doc", ".docx", ".xls", ".xlsx"})) {
    const std::string name = path.filename().string();
    if (name.find("_protected_passtika") != std::string::npos || name == "test_cryptoDoc.docx")
      archives.emplace_back(name, read(path));
  }
  EXPECT_GE(archives.size(), 15U);
  for (const auto& [name, bytes] : archives) {
    const Outcome listed = host_->list(item(bytes));
    const bool told = listed.status == TS_ENCRYPTED ||
                      std::any_of(listed.problems.begin(), listed.problems.end(),
                                  [](const TestProblem& problem) { return problem.kind == "encrypted"; });
    EXPECT_TRUE(told) << name;
  }
}

TEST_F(ContainersOfOthers, APictureInAWordDocumentIsAWholePng) {
  std::size_t found = 0;
  for (const fs::path& path : files(kTika, {".doc"})) {
    const TestItem document = item(read(path));
    const Outcome listed = host_->list(document), unpacked = host_->extract(document);
    for (const TestMember& member : listed.members) {
      if (!member.path.ends_with(".png")) continue;
      const std::string& bytes = unpacked.data.at(member.ordinal).bytes;
      EXPECT_TRUE(bytes.starts_with("\x89PNG\r\n\x1A\n"));
      EXPECT_TRUE(bytes.ends_with("IEND\xAE\x42\x60\x82")) << path.filename();
      ++found;
    }
  }
  EXPECT_GE(found, 1U);
}

}  // namespace
}  // namespace touchstone::test
