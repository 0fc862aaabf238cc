// Carving on real images. Debian's forensics-samples: the folders whose names end in 2 were deleted, the
// original files are in the package forensics-samples-files; of PNG files, which Debian rewrites, the copies
// of other images of the package count. The corpus of other people's files: everything in it, one after the
// other, is a window.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSamples = "/usr/share/forensics-samples/";

std::string read(const fs::path& path) {
  return touchstone::test::contents_of(path);
}

std::string sha256(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    char pair[3];
    std::snprintf(pair, sizeof(pair), "%02x", digest[i]);
    out += pair;
  }
  return out;
}

/// The output of a shell command.
std::string output(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return out;
  std::string block(1U << 20U, '\0');
  for (std::size_t got = 0; (got = fread(block.data(), 1, block.size(), pipe)) > 0;)
    out.append(block, 0, got);
  pclose(pipe);
  return out;
}

/// Digest → name, of all originals.
std::map<std::string, std::string> originals() {
  std::map<std::string, std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(std::string(kSamples) + "original-files")) {
    if (entry.is_regular_file())
      names[sha256(read(entry.path()))] = entry.path().parent_path().filename() / entry.path().filename();
  }
  return names;
}

class CarvingOfSamples : public testing::TestWithParam<std::pair<const char*, std::set<std::string>>> {};

/// Names of the originals that were found bit by bit, and the files of confidence above a beginning's that
/// are none.
TEST_P(CarvingOfSamples, GivesTheDeletedFilesOfFreeSpaceBitByBit) {
  const auto& [name, expected] = GetParam();
  const std::string packed = std::string(kSamples) + "fs." + name + ".xz";
  if (!fs::exists(packed) || !fs::exists(std::string(kSamples) + "original-files"))
    GTEST_SKIP() << "Debian packages forensics-samples-" << name << " and -files are not installed";
  std::string scratch = (fs::temp_directory_path() / "touchstone-carving-XXXXXX").string();
  ASSERT_NE(mkdtemp(scratch.data()), nullptr);
  TestItem item;
  item.media_type = "application/x-touchstone-unallocated";
  item.bytes = output("cd " + scratch + " && xz -dc " + packed + " > image && blkls -o 2048 image");
  fs::remove_all(scratch);
  if (item.bytes.empty()) GTEST_SKIP() << "xz and blkls (sleuthkit) are not installed";
  const auto host = PluginHost::load("carving");
  ASSERT_TRUE(host);
  const Outcome listed = host->list(item), bytes = host->extract(item);
  EXPECT_EQ(listed.status, TS_OK) << listed.reason;
  const auto names = originals();
  std::set<std::string> found;
  for (const TestMember& member : listed.members) {
    const auto original = names.find(bytes.data.at(member.ordinal).sha256);
    if (original != names.end()) found.insert(original->second);
    // What says of itself that it was checked to its end is one of the originals, or a rewritten PNG.
    if (member.confidence >= 700 && !member.path.ends_with(".png")) {
      EXPECT_NE(original, names.end()) << member.path << " " << member.confidence;
    }
  }
  EXPECT_EQ(found, expected);
}

const std::set<std::string> kAllDeleted = {"audio2/deleted.mp3",
                                           "audio2/deleted.ogg",
                                           "audio2/deleted.wav",
                                           "movie2/movie-hello.avi",
                                           "movie2/movie-hello.mp4",
                                           "movie2/movie-hello.mpeg",
                                           "movie2/movie-hello.ogg",
                                           "pic2/IMG_20191224_234846.jpg",
                                           "pic2/IMG_20200124_231153.jpg",
                                           "pic2/IMG_20200608_111614.jpg",
                                           "pic2/d-debian.jpg",
                                           "pic2/d-debian.ppm",
                                           "text2/d-text.docx",
                                           "text2/d-text.odt",
                                           "text2/d-text.pdf",
                                           "text2/test.sh"};

std::set<std::string> without(std::set<std::string> names, std::initializer_list<const char*> gone) {
  for (const char* name : gone) names.erase(name);
  return names;
}

// ext4: film and picture without compression lie in two pieces; one of the photographs, too, is pieced
// together. NTFS: the script is resident in the MFT. The XCF picture is of a format that is not carved.
INSTANTIATE_TEST_SUITE_P(Debian, CarvingOfSamples,
                         testing::Values(std::pair{"ext4", without(kAllDeleted, {"movie2/movie-hello.mp4",
                                                                                 "pic2/d-debian.ppm"})},
                                         std::pair{"ntfs", without(kAllDeleted, {"text2/test.sh"})},
                                         std::pair{"vfat", kAllDeleted}),
                         [](const auto& each) { return std::string(each.param.first); });

/// All files of the corpus below a size, each at a sector of one long window, in the order of their names.
TEST(CarvingOfTheCorpus, FilesThatLieWholeInAWindowComeBackWhole) {
  if (!fs::is_directory(TOUCHSTONE_CORPUS_DIR)) GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(TOUCHSTONE_CORPUS_DIR)) {
    if (entry.is_regular_file() && entry.file_size() > 0 && entry.file_size() < (4U << 20U))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  struct Place {
    std::uint64_t offset, size;
    std::string extension;
  };
  std::vector<Place> places;
  TestItem item;
  item.media_type = "application/x-touchstone-unallocated";
  for (const fs::path& path : paths) {
    const std::string bytes = read(path);
    item.bytes.resize((item.bytes.size() + 4095) / 4096 * 4096);
    places.push_back({item.bytes.size(), bytes.size(), path.extension()});
    item.bytes += bytes;
  }
  const auto host = PluginHost::load("carving");
  ASSERT_TRUE(host);
  const Outcome listed = host->list(item);
  std::map<std::uint64_t, const TestMember*> by_offset;
  for (const TestMember& member : listed.members) by_offset[member.offset] = &member;
  std::map<std::string, std::pair<int, int>> share;  // extension → whole, all
  for (const Place& place : places) {
    auto& [whole, all] = share[place.extension];
    ++all;
    const auto found = by_offset.find(place.offset);
    if (found != by_offset.end() && found->second->size == place.size) ++whole;
  }
  // Some of each kind are damaged on purpose, so not all come back.
  for (const auto& [extension, least] : std::map<std::string, int>{{".jpg", 90},
                                                                   {".png", 80},
                                                                   {".gif", 80},
                                                                   {".docx", 90},
                                                                   {".zip", 80},
                                                                   {".pdf", 80},
                                                                   {".db", 80},
                                                                   {".heic", 80}}) {
    const auto [whole, all] = share[extension];
    RecordProperty("whole" + extension, std::to_string(whole) + " of " + std::to_string(all));
    std::printf("%s: %d of %d\n", extension.c_str(), whole, all);
    ASSERT_GT(all, 0) << extension;
    EXPECT_GE(whole * 100, all * least) << extension << ": " << whole << " of " << all;
  }
}

}  // namespace
}  // namespace touchstone::test
