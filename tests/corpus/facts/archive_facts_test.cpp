// What MANIFEST.tsv states of archives, row by row: those of libarchive's own tests against 7-Zip, those that
// are malformed on purpose, and dfVFS's one file in each of its wrappers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "content/content.hpp"
#include "corpus/facts/manifest.hpp"
#include "support/cli_runner.hpp"
#include "support/plugin_host.hpp"
#include "support/uudecode.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;
using touchstone::testing::FreshFolder;
using touchstone::testing::have;
using touchstone::testing::read_file;
using touchstone::testing::run;
using touchstone::testing::write_file;

class ArchiveFacts : public ::testing::Test {
 protected:
  void SetUp() override {
    rows_ = manifest();
    if (rows_.empty()) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
    host_ = PluginHost::load("archives");
    auto typer = MediaTyper::load();
    ASSERT_TRUE(host_ && typer);
    typer_ = typer.take();
  }
  static fs::path corpus(const std::string& name) { return fs::path(TOUCHSTONE_CORPUS_DIR) / name; }
  TestItem item(std::string bytes) const {
    TestItem out;
    out.bytes = std::move(bytes);
    const auto all = std::as_bytes(std::span(out.bytes));
    out.media_type = typer_->detect(all.first(std::min(all.size(), MediaTyper::kMagicBytes)));
    out.max_member_bytes = 64U << 20U;
    return out;
  }
  std::vector<ManifestRow> rows_;
  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<MediaTyper> typer_;
};

TEST_F(ArchiveFacts, MembersOfLibarchivesOwnTestsAreThoseThat7ZipUnpacks) {
  if (!have("7z")) GTEST_SKIP() << "7z is not installed";
  std::size_t compared = 0;
  for (const ManifestRow& row : rows_) {
    const std::string stem = fs::path(row.path).stem().string();
    // Discs are file systems: side by side with other tools in corpus_filesystem.
    if (row.kind != "archive (.uu)" || stem.find(".iso") != std::string::npos) continue;
    // Not read by the library of Debian 12 (docs/formats.md): two filters of 7z, programs that unpack
    // themselves.
    const bool is_read = stem.find("arm64") == std::string::npos &&
                         stem.find("powerpc") == std::string::npos &&
                         stem.find("zip_sfx") == std::string::npos;
    SCOPED_TRACE(stem);
    const FreshFolder folder;
    write_file(folder.path(stem), uudecode(read_file(corpus(row.path))));
    const auto unpacked =
        run({"timeout", "20", "7z", "x", "-y", "-p", "-o" + folder.text("out"), folder.text(stem)});
    if (unpacked.exit_code != 0 || !fs::exists(folder.path("out"))) continue;
    std::set<std::string> theirs, ours;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path("out"))) {
      if (!entry.is_symlink() && entry.is_regular_file() && entry.file_size() > 0)
        theirs.insert(read_file(entry.path()));
    }
    const Outcome given = host_->extract(item(read_file(folder.path(stem))));
    for (const auto& [ordinal, data] : given.data) {
      EXPECT_EQ(data.damaged, !is_read) << ordinal;
      ours.insert(data.bytes);
    }
    if (!is_read) continue;
    for (const std::string& bytes : theirs) EXPECT_TRUE(ours.contains(bytes)) << bytes.size() << " bytes";
    ++compared;
  }
  EXPECT_GE(compared, 25U);
}

/// Called malformed for the sake of libarchive, and sound enough for others or no archive at all.
bool is_sound_elsewhere(const std::string& stem) {
  static const std::set<std::string> names = {
      "test_read_format_7zip_malformed3.7z",  // begins as a program of ELF
      // It refers to bytes before its start. libarchive takes zeros for them, and its blocks have no
      // checksum.
      "test_read_format_cab_lzx_invalid_history.cab",
      "test_read_format_iso_rockridge_ce_loop.iso.Z",            // its wrapper is sound; the disc: DiscFacts
      "test_read_format_tar_timestamp_overflow.tar",             // 7-Zip: everything is ok
      "test_read_format_zip_with_invalid_traditional_eocd.zip",  // its Zip64 records are right
  };
  return names.contains(stem);
}

TEST_F(ArchiveFacts, WhatIsMalformedIsSaidToBe) {
  std::size_t tried = 0;
  for (const ManifestRow& row : rows_) {
    if (row.kind != "archive malformed (.uu)") continue;
    const std::string stem = fs::path(row.path).stem().string();
    SCOPED_TRACE(stem);
    const TestItem archive = item(uudecode(read_file(corpus(row.path))));
    if (!host_->matches(archive)) {
      ADD_FAILURE() << archive.media_type;
      continue;
    }
    const Outcome listed = host_->list(archive), given = host_->extract(archive);
    const bool told =
        listed.status != TS_OK || !listed.problems.empty() || given.status != TS_OK ||
        !given.problems.empty() ||
        std::any_of(given.data.begin(), given.data.end(), [](const auto& d) { return d.second.damaged; });
    EXPECT_TRUE(told || is_sound_elsewhere(stem)) << archive.media_type << " " << listed.members.size();
    ++tried;
  }
  EXPECT_GE(tried, 20U);
}

TEST_F(ArchiveFacts, DfvfsFileHasItsStatedSizeInEveryWrapper) {
  const std::string folder = "log2timeline+dfvfs/test_data/";
  const std::string plain = read_file(corpus(folder + "syslog"));
  ASSERT_EQ(plain.size(), 1247U);
  for (const char* name : {"syslog.gz", "syslog.bz2", "syslog.xz", "syslog.lzma", "syslog.Z",
                           "syslog.bin.cpio", "syslog.crc.cpio", "syslog.newc.cpio", "syslog.odc.cpio",
                           "syslog.tgz", "tar/syslog.tar", "zip/syslog.zip"}) {
    SCOPED_TRACE(name);
    const Outcome outer = host_->extract(item(read_file(corpus(folder + name))));
    bool found = false;
    for (const auto& [ordinal, data] : outer.data) {
      found = found || data.bytes == plain;
      const TestItem inner = item(data.bytes);
      if (found || !host_->matches(inner)) continue;
      for (const auto& [number, member] : host_->extract(inner).data) found = found || member.bytes == plain;
    }
    EXPECT_TRUE(found);
  }
}

}  // namespace
}  // namespace touchstone::test
