// The same files as fls and the same bytes as tsk_recover on every image of the corpus, but for the
// differences that docs/formats.md names. The Sleuth Kit's tools are the reference for how its library is
// used here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "corpus/filesystem/corpus_image.hpp"
#include "model/locator.hpp"

namespace touchstone::test {
namespace {

using Names = std::multiset<std::string>;

std::string plain(std::string name) {
  // fls shows control characters as "^".
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '^';
  }
  return name;
}

/// "r/r * 64-128-1(realloc):\tname" of each line; indexes of NTFS (types 144 and 160) that are no directories
/// are left out.
Names names_of_fls(const std::string& text, bool on_disc) {
  static const std::regex line_form(R"(^\S/\S+ (?:\* )?\d+(?:-(\d+)-\d+)?(?:\(realloc\))?:\t([\s\S]*)$)");
  static const std::regex index_name(R"(^[\s\S]*:\$(?!I30)[A-Z]+$)");
  Names names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (!std::regex_match(line, parts, line_form)) continue;
    const std::string type = parts[1], name = parts[2];
    if ((type == "144" || type == "160") && std::regex_match(name, index_name)) continue;
    if (name.find("/.:") != std::string::npos) continue;  // a stream of a directory, once more by its "."
    if (on_disc && name == "$OrphanFiles") continue;      // a disc has none
    names.insert(plain(name));
  }
  return names;
}

/// What an entry of ours is in the list of fls; nothing for those that it does not show.
std::optional<std::string> as_fls(const Entry& entry, const std::string& type, const Names& theirs) {
  auto raw = unescape_path(entry.path.substr(1));
  if (!raw) return std::nullopt;
  std::string name = plain(*raw);
  const bool tsk_stream = type == "ntfs" || entry.kind != ItemKind::stream;
  if (!tsk_stream) return std::nullopt;
  // A file with indexes alone ($Quota) is shown by them there.
  const bool index_only =
      type == "ntfs" && entry.kind == ItemKind::file && !entry.has_content && !theirs.contains(name);
  return index_only ? std::nullopt : std::optional(name);
}

class SideBySide : public ::testing::TestWithParam<const char*> {
 protected:
  static std::vector<std::string> images() {
    std::vector<std::string> found;
    if (!std::filesystem::exists(kCorpus)) return found;
    const std::string folder = kCorpus + "/" + GetParam();
    if (!std::filesystem::exists(folder)) return found;
    static const std::regex image_name(R"(.*\.(E01|dd|raw|bin|iso|img)(\.gz|\.xz)?|.*/image(\.gz)?)");
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string path = file.path().string();
      if (file.is_regular_file() && file.file_size() > 0 && std::regex_match(path, image_name))
        found.push_back(path);
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

/// Digests of the files that tsk_recover wrote, without links (it writes their targets).
std::multiset<std::string> digests_in(const std::string& folder, const std::set<std::string>& left_out) {
  std::multiset<std::string> digests;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (!left_out.contains(file.path().filename().string()) && file.is_regular_file() && file.file_size() > 0)
      digests.insert(sha256_of(file.path().string()));
  }
  return digests;
}

void compare(const std::string& path, ByteSource& image, const Volume& volume, const Scratch& scratch) {
  auto files = open_file_system(image, 512, volume);
  ASSERT_TRUE(files) << path;
  const Walked walked = walk(**files, 20'000);
  const std::string at = " -o " + std::to_string(volume.offset / 512) + " '" + path + "'";
  run("fls -r -p" + at + " > '" + scratch.path("names") + "'");
  const Names theirs = names_of_fls(scratch.read("names"), volume.filesystem == "iso9660");
  if (theirs.empty()) return;  // an image that fls cannot open
  Names ours;
  std::multiset<std::string> digests;
  std::set<std::string> left_out;
  for (const Entry& entry : walked.entries) {
    if (const auto name = as_fls(entry, volume.filesystem, theirs)) ours.insert(*name);
    const auto detail = nlohmann::json::parse(entry.detail, nullptr, false);
    // Links are written with their target as content, names of reused inodes with that of another file.
    if (detail.is_object() && (entry.kind == ItemKind::link || detail.contains("realloc")))
      left_out.insert(plain(entry.name_raw));
    if (!entry.has_content) continue;
    if (auto source = (*files)->open(entry.address)) digests.insert(sha256_of(**source));
  }
  std::vector<std::string> only_theirs, only_ours;
  std::set_difference(theirs.begin(), theirs.end(), ours.begin(), ours.end(),
                      std::back_inserter(only_theirs));
  std::set_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(), std::back_inserter(only_ours));
  // A loop is followed once more there.
  const bool loop = std::any_of(walked.problems.begin(), walked.problems.end(), [](const Problem& problem) {
    return problem.message.find("not followed") != std::string::npos;
  });
  if (!loop) {
    EXPECT_THAT(only_theirs, ::testing::IsEmpty()) << path;
  }
  EXPECT_THAT(only_ours, ::testing::IsEmpty()) << path;
  const std::string folder = scratch.path("recovered");
  std::filesystem::remove_all(folder);
  run("tsk_recover -e" + at + " '" + folder + "'");
  if (!std::filesystem::exists(folder)) return;
  for (const std::string& digest : digests_in(folder, left_out))
    EXPECT_TRUE(digests.contains(digest)) << path << " " << digest;
}

TEST_P(SideBySide, SameNamesAsFlsAndSameBytesAsTskRecover) {
  if (!has_tool("fls") || !has_tool("tsk_recover")) GTEST_SKIP() << "sleuthkit is not installed";
  const auto paths = images();
  if (paths.empty()) GTEST_SKIP() << "no images in " << kCorpus << "/" << GetParam();
  std::size_t compared = 0;
  for (const std::string& each : paths) {
    const Scratch scratch;
    const std::string path = unpacked(scratch, each);
    if (path.empty()) continue;
    auto exhibit = open_exhibit(path);
    if (!exhibit) continue;
    std::vector<Problem> problems;
    for (const Volume& volume : list_volumes(**exhibit, 512, problems)) {
      const bool readable = volume.state == VolumeState::read || volume.state == VolumeState::partly_read;
      if (!readable || !volume.layer.empty() || volume.filesystem == "apfs" || volume.filesystem == "xfs")
        continue;
      if (volume.filesystem.empty() || volume.kind.find("opened") != std::string::npos) continue;
      compare(path, **exhibit, volume, scratch);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0U);
}

// The images of e2fsprogs are damaged on purpose: directories that cannot be listed are errors there.
INSTANTIATE_TEST_SUITE_P(Corpus, SideBySide,
                         ::testing::Values("SecurityRonin+ewf-forensic", "fox-it+dissect.extfs",
                                           "fox-it+dissect.fat", "fox-it+dissect.ffs", "fox-it+dissect.ntfs",
                                           "log2timeline+dfvfs", "msuhanov+dfir_ntfs", "sleuthkit+sleuthkit"),
                         [](const auto& folder) {
                           std::string name = folder.param;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace touchstone::test
