// PDF documents that others made. Expected values are what poppler's pdfimages and pdfdetach write of the
// same files; the encrypted one is made by qpdf here.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <string>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

const std::string kFolder =
    "/apache+tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-pdf-module/"
    "src/test/"
    "resources/test-documents/";

std::string read(const fs::path& path) {
  return touchstone::test::contents_of(path);
}

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
  return output;
}

class DocumentsOfOthers : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(std::string(TOUCHSTONE_CORPUS_DIR) + "/apache+tika"))
      GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
    if (output_of("for tool in pdfimages pdfdetach qpdf; do command -v $tool; done | wc -l") != "3\n")
      GTEST_SKIP() << "poppler-utils, qpdf missing";
    host_ = PluginHost::load("documents");
    ASSERT_TRUE(host_);
    folder_ = testing::TempDir() + "touchstone-pdf-" + std::to_string(getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static TestItem item(const std::string& path) {
    TestItem out;
    out.bytes = read(path);
    out.media_type = "application/pdf";
    return out;
  }
  static std::string path_of(const std::string& name) { return TOUCHSTONE_CORPUS_DIR + kFolder + name; }

  /// SHA-256 of the files that a tool put into the folder and whose names end so.
  std::multiset<std::string> digests(const std::string& ending) const {
    std::multiset<std::string> found;
    const std::string lines = output_of("cd '" + folder_ + "' && find . -type f -name '*" + ending +
                                        "' -exec sha256sum {} + | cut -c1-64");
    for (std::size_t at = 0; at + 64 <= lines.size(); at += 65) found.insert(lines.substr(at, 64));
    return found;
  }

  std::unique_ptr<PluginHost> host_;
  std::string folder_;
};

/// SHA-256 of the members whose names begin and end so.
std::multiset<std::string> members(const Outcome& listed, const Outcome& given, std::string_view start,
                                   std::string_view ending) {
  std::multiset<std::string> found;
  for (const TestMember& member : listed.members) {
    if (!member.path.starts_with(start) || !member.path.ends_with(ending)) continue;
    EXPECT_EQ(given.data.at(member.ordinal).size, member.size) << member.path;
    found.insert(given.data.at(member.ordinal).sha256);
  }
  return found;
}

TEST_F(DocumentsOfOthers, JpegsAreByteForByteThoseThatPdfimagesWrites) {
  for (const std::string& path :
       {path_of("testPDF_childAttachments.pdf"), path_of("testPDFPackage.pdf"),
        std::string(TOUCHSTONE_CORPUS_DIR) + "/exiftool+exiftool/t/images/PDF2.pdf"}) {
    SCOPED_TRACE(path);
    for (const auto& old : fs::directory_iterator(folder_)) fs::remove_all(old);
    output_of("pdfimages -all '" + path + "' '" + folder_ + "/i' 2>/dev/null");
    const TestItem pdf = item(path);
    const auto expected = digests(".jpg");
    EXPECT_FALSE(expected.empty());
    const auto found = members(host_->list(pdf), host_->extract(pdf), "image-", ".jpg");
    for (const std::string& digest : expected) EXPECT_TRUE(found.contains(digest)) << digest;
  }
}

TEST_F(DocumentsOfOthers, PixelsAreThoseThatPdfimagesWrites) {
  for (const char* name : {"testOCR.pdf", "testPDF_Version.11.x.PDFA-1b.pdf", "testPDF_protected.pdf"}) {
    SCOPED_TRACE(name);
    for (const auto& old : fs::directory_iterator(folder_)) fs::remove_all(old);
    output_of("pdfimages -png '" + path_of(name) + "' '" + folder_ + "/i' 2>/dev/null");
    const TestItem pdf = item(path_of(name));
    const Outcome given = host_->extract(pdf);
    std::size_t wanted = 0;
    for (const auto& each : fs::directory_iterator(folder_)) {
      ++wanted;
      const cv::Mat expected = cv::imread(each.path().string(), cv::IMREAD_COLOR);
      const auto same = [&](const auto& member) {
        const std::string& bytes = member.second.bytes;
        const cv::Mat found =
            cv::imdecode(std::vector<unsigned char>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
        return !found.empty() && found.size() == expected.size() &&
               cv::norm(found, expected, cv::NORM_INF) <= 1;
      };
      EXPECT_TRUE(std::any_of(given.data.begin(), given.data.end(), same)) << each.path();
    }
    EXPECT_GT(wanted, 0U);
  }
}

TEST_F(DocumentsOfOthers, EmbeddedFilesAreThoseThatPdfdetachWrites) {
  for (const char* name :
       {"testPDF_childAttachments.pdf", "testPDFPackage.pdf", "testPDF_multiFormatEmbFiles.pdf"}) {
    SCOPED_TRACE(name);
    for (const auto& old : fs::directory_iterator(folder_)) fs::remove_all(old);
    output_of("pdfdetach -saveall -o '" + folder_ + "' '" + path_of(name) + "' 2>/dev/null");
    const TestItem pdf = item(path_of(name));
    const auto expected = digests("");
    EXPECT_FALSE(expected.empty());
    const auto found = members(host_->list(pdf), host_->extract(pdf), "files/", "");
    for (const std::string& digest : expected) EXPECT_TRUE(found.contains(digest)) << digest;
  }
}

TEST_F(DocumentsOfOthers, WhatNeedsAPasswordIsEncrypted) {
  const std::string locked = folder_ + "/locked.pdf";
  output_of("qpdf --encrypt opens owns 256 -- '" + path_of("testPDFPackage.pdf") + "' '" + locked + "'");
  const Outcome outcome = host_->list(item(locked));
  EXPECT_EQ(outcome.status, TS_ENCRYPTED);
  EXPECT_TRUE(outcome.members.empty());
  EXPECT_NE(outcome.reason.find("encrypted"), std::string::npos);
}

TEST_F(DocumentsOfOthers, FormsThatNoPictureFileTakesAreCounted) {
  const Outcome outcome = host_->list(item(path_of("testPDF_JBIG2.pdf")));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems.front().kind, "unsupported");
  EXPECT_NE(outcome.problems.front().message.find("JBIG2"), std::string::npos);
}

}  // namespace
}  // namespace touchstone::test
