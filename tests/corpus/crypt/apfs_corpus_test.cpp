// The APFS container of dfVFS, its volume encrypted by lock_apfs.py as FileVault does: the same files as
// before.
#include <gmock/gmock.h>

#include "corpus/filesystem/corpus_image.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

class LockedApfs : public ::testing::Test {
 protected:
  void SetUp() override {
    plain_ = kCorpus + "/log2timeline+dfvfs/test_data/apfs.raw";
    if (!std::filesystem::exists(plain_)) GTEST_SKIP() << plain_ << " is not there";
    locked_ = scratch_.path("locked.raw");
    const std::string script = std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/corpus/crypt/lock_apfs.py";
    if (!run("python3 -c 'import cryptography'")) GTEST_SKIP() << "python3-cryptography is not installed";
    ASSERT_TRUE(run("python3 " + script + " " + plain_ + " " + locked_ + " 'a secret' 'the usual'"));
    auto image = open_exhibit(locked_);
    ASSERT_TRUE(image);
    image_ = image.take();
  }
  Volume volume(const VolumeOptions& options) {
    std::vector<Problem> problems;
    for (const Volume& each : list_volumes(*image_, 512, problems, options)) {
      if (each.slot == "p0.1") return each;
    }
    ADD_FAILURE() << "no volume";
    return {};
  }
  Scratch scratch_;
  std::string plain_, locked_;
  std::unique_ptr<ExhibitSource> image_;
};

TEST_F(LockedApfs, GivesTheSameFilesWithItsPassword) {
  VolumeOptions options;
  options.secrets.candidates = {"wrong", "a secret"};
  const Volume opened = volume(options);
  EXPECT_EQ(opened.state, VolumeState::read) << opened.reason;
  EXPECT_THAT(opened.kind, HasSubstr("opened with a password"));
  auto fs = open_file_system(*image_, 512, opened, options);
  ASSERT_TRUE(fs) << fs.error().message;
  const Walked walked = walk(**fs);
  OpenImage plain = open_image(plain_);
  const auto before = std::find_if(plain.opened.begin(), plain.opened.end(),
                                   [](const OpenVolume& one) { return one.volume.slot == "p0.1"; });
  ASSERT_NE(before, plain.opened.end());
  ASSERT_EQ(walked.entries.size(), before->walked.entries.size());
  EXPECT_GT(walked.entries.size(), 8U);
  for (std::size_t i = 0; i < walked.entries.size(); ++i) {
    const Entry& now = walked.entries[i];
    const Entry& then = before->walked.entries[i];
    EXPECT_EQ(now.path, then.path);
    EXPECT_EQ(now.detail, then.detail);
    EXPECT_EQ(now.times.modified, then.times.modified);
    if (now.has_content) {
      EXPECT_EQ(content_of(**fs, now.address), content_of(*before->fs, then.address)) << now.path;
    }
  }
}

TEST_F(LockedApfs, NamesItsHintWithoutAPassword) {
  VolumeOptions options;
  options.secrets.candidates = {"wrong"};
  const Volume locked = volume(options);
  EXPECT_EQ(locked.state, VolumeState::encrypted);
  EXPECT_THAT(locked.reason, HasSubstr("needs its password"));
  EXPECT_THAT(locked.reason, HasSubstr("password hint: the usual"));
  EXPECT_EQ(open_file_system(*image_, 512, locked, options).error().code, ErrorCode::encrypted);
}

}  // namespace
}  // namespace touchstone::test
