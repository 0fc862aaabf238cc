// The whole program on Debian's forensics-samples: images that others made, with the original files beside
// them. Folders whose names end in 2 were deleted after copying.
#include <algorithm>
#include <sstream>

#include "corpus/triage/triage_run.hpp"

namespace touchstone::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartitionStart = "2048";  // sectors, by the package's README

std::string folder_of(const std::string& path) {
  return fs::path(path).parent_path().filename().string();
}

/// "/pic1/debian.ppm" → SHA-256 of the items of a run with this state of allocation. Of two items with one
/// name the digests stand in a set.
std::map<std::string, std::set<std::string>> items(const fs::path& folder, bool allocated) {
  std::map<std::string, std::set<std::string>> found;
  for (const std::string& row :
       query(folder, "SELECT sha256, path FROM item WHERE kind = 'file' AND allocated = " +
                         std::to_string(allocated))) {
    const std::size_t bar = row.find('|');
    found[row.substr(bar + 1)].insert(row.substr(0, bar));
  }
  return found;
}

/// What tsk_recover writes out: with "-a" the allocated files, without it the deleted ones.
std::map<std::string, std::string> recovered(const fs::path& image, const std::string& option,
                                             const fs::path& into) {
  fs::create_directories(into);
  const RunResult result = run({"sh", "-c", "tsk_recover " + option + " -o \"$0\" \"$1\" \"$2\"",
                                kPartitionStart, image.string(), into.string()});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  return digests_below(into);
}

/// Two of the documents need a password, in use and deleted alike: that is said, and nothing else falls
/// short.
void expect_only_locked_documents_short(const RunResult& run, const fs::path& folder) {
  ASSERT_EQ(run.exit_code, 1) << run.error;
  EXPECT_EQ(query(folder,
                  "SELECT count(*) FROM item WHERE state <> 'examined' AND NOT (kind = 'carved' AND state = "
                  "'partly_examined') AND NOT (state = 'encrypted' AND media_type = 'application/pdf')"),
            std::vector<std::string>{"0"});
  EXPECT_EQ(
      query(folder,
            "SELECT name FROM item WHERE state = 'encrypted' AND allocated = 1 AND path LIKE '/text1/%' "
            "ORDER BY 1"),
      (std::vector<std::string>{"a-text-pass-A5d.pdf", "a-text-pass-peanuts.pdf"}));
}

class SampleTriage : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const fs::path packed = kSamples + "fs." + GetParam() + ".xz";
    for (const char* tool : {"xz", "tsk_recover", "ewfacquire"}) {
      if (!have(tool)) GTEST_SKIP() << tool << " is not installed";
    }
    if (!fs::exists(packed) || !fs::exists(kSamples + "original-files")) {
      GTEST_SKIP() << "Debian packages forensics-samples-" << GetParam() << " and -files are not installed";
    }
    image_ = unpacked(packed);
  }
  fs::path case_folder(const std::string& name) const { return out_.path(name); }

  void expect_every_allocated_file() {
    const auto found = items(case_folder("raw"), true);
    std::size_t originals = 0;
    for (const auto& [path, digest] : digests_below(kSamples + "original-files")) {
      if (folder_of(path).ends_with("2")) continue;
      ++originals;
      ASSERT_TRUE(found.contains(path)) << path;
      // Debian's build of the package strips the dates from the PNG files beside the images, not from those
      // inside: what tsk_recover reads from the image is their original.
      if (!path.ends_with(".png")) {
        EXPECT_EQ(found.at(path), std::set<std::string>{digest}) << path;
      }
    }
    EXPECT_EQ(originals, 18U);
    std::size_t pngs = 0;
    for (const auto& [path, digest] : recovered(image_, "-a", out_.path("allocated"))) {
      ASSERT_TRUE(found.contains(path)) << path;
      EXPECT_TRUE(found.at(path).contains(digest)) << path;
      pngs += path.ends_with(".png");
    }
    EXPECT_EQ(pngs, 2U);
    expect_states_add_up(case_folder("raw"));
  }

  /// Marked as deleted.
  void expect_every_deleted_file() {
    const auto found = items(case_folder("raw"), false);
    const auto back = recovered(image_, "", out_.path("deleted"));
    // ext clears the block list of a deleted file: the bytes are there, but no name leads to them.
    EXPECT_EQ(back.size(), std::string(GetParam()).starts_with("ext") ? 0U : 18U);
    for (const auto& [path, digest] : back) {
      ASSERT_TRUE(found.contains(path)) << path;
      EXPECT_TRUE(found.at(path).contains(digest)) << path;
    }
    const auto originals = digests_below(kSamples + "original-files");
    std::set<std::string> deleted;
    for (const auto& [path, digests] : found) deleted.insert(digests.begin(), digests.end());
    if (!back.empty()) {
      const auto whole = std::count_if(originals.begin(), originals.end(), [&](const auto& original) {
        return folder_of(original.first).ends_with("2") && deleted.contains(original.second);
      });
      EXPECT_EQ(whole, 17) << "all but the PNG";
    }
  }

  void expect_the_same_of_e01_and_split_e01_and_with_four_workers() {
    const auto expected = exports(case_folder("raw"));
    ASSERT_GT(expected.size(), 20U);
    const auto expect_same = [&](const std::string& name, bool exhibit_too) {
      const auto got = exports(case_folder(name));
      ASSERT_EQ(got.size(), expected.size()) << name;
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (!exhibit_too && fs::path(got[i].first).stem() == "exhibit") continue;
        EXPECT_EQ(got[i].first, expected[i].first);
        EXPECT_TRUE(got[i].second == expected[i].second) << name << ": " << got[i].first << " differs";
      }
    };
    expect_only_locked_documents_short(triage(image_, case_folder("four"), "4"), case_folder("four"));
    expect_same("four", true);

    const RunResult md5 = run({"md5sum", image_.string()});
    for (const char* segment : {"1GiB", "5MiB"}) {
      const fs::path first = acquired(image_, segment);
      const bool split = fs::exists(fs::path(first).replace_extension(".E02"));
      EXPECT_EQ(split, std::string(segment) == "5MiB");
      expect_only_locked_documents_short(triage(first, case_folder(segment)), case_folder(segment));
      expect_same(segment, false);
      EXPECT_EQ(query(case_folder(segment), "SELECT verified, md5, stored_md5 FROM exhibit"),
                std::vector<std::string>{"1|" + md5.out.substr(0, 32) + "|" + md5.out.substr(0, 32)});
      const RunResult verified = run({program(), "verify", first.string()});
      EXPECT_EQ(verified.exit_code, 0) << verified.error;
      EXPECT_NE(verified.out.find(md5.out.substr(0, 32)), std::string::npos) << verified.out;
    }
  }

  FreshFolder out_;
  fs::path image_;
};

// One test for each image, since the run of the program is what takes the time.
TEST_P(SampleTriage, HasAllocatedAndDeletedFilesAndSaysTheSameOfE01AndSplitE01AndWithFourWorkers) {
  expect_only_locked_documents_short(triage(image_, case_folder("raw"), "1"), case_folder("raw"));
  {
    SCOPED_TRACE("allocated");
    expect_every_allocated_file();
  }
  {
    SCOPED_TRACE("deleted");
    expect_every_deleted_file();
  }
  SCOPED_TRACE("the same");
  expect_the_same_of_e01_and_split_e01_and_with_four_workers();
}

INSTANTIATE_TEST_SUITE_P(Debian, SampleTriage, ::testing::Values("ext2", "ext4", "ntfs", "vfat", "exfat"),
                         [](const auto& type) { return std::string(type.param); });

class UnreadVolume : public ::testing::TestWithParam<const char*> {};

TEST_P(UnreadVolume, IsSaidLoudlyAndTheRestIsExamined) {
  const fs::path packed = kSamples + "fs." + GetParam() + ".xz";
  if (!fs::exists(packed) || !have("xz")) {
    GTEST_SKIP() << "Debian package forensics-samples-" << GetParam() << " (or xz) is not installed";
  }
  const FreshFolder out;
  const RunResult result = triage(unpacked(packed), out.path("case"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(query(out.path("case"),
                  "SELECT slot, filesystem, state, reason <> '' FROM volume WHERE state NOT IN "
                  "('read', 'unallocated')"),
            std::vector<std::string>{"p1|btrfs|unsupported|1"});
  EXPECT_EQ(
      query(out.path("case"), "SELECT kind, message LIKE '%btrfs%' FROM problem WHERE kind <> 'encrypted'"),
      std::vector<std::string>{"unsupported|1"});
  EXPECT_NE((result.out + result.error).find("btrfs"), std::string::npos) << result.out << result.error;
  const nlohmann::json warnings = page_summary(out.path("case"))["warnings"];
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const nlohmann::json& warning) {
    return warning["level"] == "bad" && warning["text"].get<std::string>().find("btrfs") != std::string::npos;
  })) << warnings;
  expect_states_add_up(out.path("case"));
  if (std::string(GetParam()) != "multiple") return;
  const auto originals = digests_below(kSamples + "original-multiple");
  EXPECT_EQ(originals.size(), 2U);
  for (const auto& [path, digest] : originals) {
    std::string sql = "SELECT v.filesystem FROM item i JOIN volume v ON v.id = i.volume_id WHERE i.path = '";
    sql.append(path).append("' AND i.sha256 = '").append(digest).append("' ORDER BY v.slot");
    EXPECT_EQ(query(out.path("case"), sql), (std::vector<std::string>{"ext4", "exfat", "ntfs"})) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, UnreadVolume, ::testing::Values("btrfs", "multiple"),
                         [](const auto& type) { return std::string(type.param); });

}  // namespace
}  // namespace touchstone::testing
