// What MANIFEST.tsv states of the images of volumes, row by row: type, label and identifier as libblkid has
// them (it shares no code with this), and how many names The Sleuth Kit's fls counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "corpus/facts/manifest.hpp"
#include "corpus/filesystem/corpus_image.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// One value of "TYPE=… LABEL=… UUID=… VERSION=…".
std::string value(const std::string& facts, const std::string& key) {
  const std::string text = " " + facts + " ";
  const std::size_t at = text.find(" " + key + "=");
  if (at == std::string::npos) return "";
  const std::size_t from = at + key.size() + 2;
  return text.substr(from, text.find(' ', from) - from);
}

/// Our name of what blkid calls so.
std::string our_type(const std::string& facts) {
  static const std::map<std::string, std::string> names = {{"BitLocker", "bitlocker"},
                                                           {"crypto_LUKS", "luks"},
                                                           {"isw_raid_member", "isw-raid"},
                                                           {"adaptec_raid_member", "adaptec-raid"},
                                                           {"hpt37x_raid_member", "hpt37x-raid"},
                                                           {"jmicron_raid_member", "jmicron-raid"},
                                                           {"lsi_mega_raid_member", "lsi-raid"},
                                                           {"scoutfs_data", "scoutfs"},
                                                           {"drbdmanage_control_volume", "drbdmanage"},
                                                           {"squashfs3", "squashfs"},
                                                           {"VMFS", "vmfs"},
                                                           {"VMFS_volume_member", "vmfs-member"},
                                                           {"zfs_member", "zfs"}};
  const std::string type = value(facts, "TYPE");
  if (type == "vfat") return lower(value(facts, "VERSION"));
  const auto known = names.find(type);
  return known == names.end() ? type : known->second;
}

/// Identifiers that are not told: sequence number of a UBI image, VMFS, and the volume sets of UDF that blkid
/// turns into something else because they do not begin with 16 hexadecimal digits.
bool is_id_told(const std::string& type, const std::string& reason) {
  static const std::regex set(R"([\s\S]*volume set [0-9a-fA-F]{16}[\s\S]*)");
  if (type == "udf") return std::regex_match(reason, set);
  return type != "ubi" && type != "vmfs" && type != "zfs";
}

TEST(VolumeFacts, HaveTheTypeLabelAndIdentifierThatBlkidStates) {
  std::size_t checked = 0;
  for (const ManifestRow& row : manifest()) {
    const std::string facts = row.between("blkid: ", " (tests");
    if (facts.empty()) continue;
    SCOPED_TRACE(row.path);
    const Scratch scratch;
    const std::string path = unpacked(scratch, kCorpus + "/" + row.path);
    auto source = open_file_source(path);
    ASSERT_TRUE(source);
    std::vector<Problem> problems;
    const auto volumes = list_volumes(**source, 512, problems);
    ASSERT_EQ(volumes.size(), 1U);
    const Volume& volume = volumes[0];
    ++checked;
    if (volume.filesystem ==
        "iso9660") {  // a disc of both kinds: the other one's files are told to be missing
      EXPECT_EQ(value(facts, "TYPE"), "udf");
      EXPECT_EQ(volume.state, VolumeState::partly_read);
      EXPECT_THAT(volume.reason, HasSubstr("UDF"));
      continue;
    }
    EXPECT_EQ(volume.filesystem, our_type(facts));
    std::string label = volume.label;
    std::replace(label.begin(), label.end(), ' ', '_');  // blkid prints it so
    EXPECT_EQ(label, value(facts, "LABEL"));
    const bool is_named_only =
        volume.state == VolumeState::unsupported || volume.state == VolumeState::encrypted;
    if (is_named_only && is_id_told(volume.filesystem, volume.reason)) {
      EXPECT_THAT(lower(volume.reason), HasSubstr(lower(value(facts, "UUID"))));
    }
  }
  if (checked == 0) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_GE(checked, 65U);
}

struct Counted {
  std::size_t names = 0, deleted = 0;
  std::set<std::string> in_root;
  bool has_loop = false;
};

/// Directories that damage makes unreadable are left out, as fls does.
Counted count_names(FileSystem& files, const std::string& type) {
  Counted counted;
  std::vector<Problem> problems;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  while (!waiting.empty() && counted.names < 200'000) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    const Status status = files.list(
        directory,
        [&](Entry&& entry) {
          if (entry.descend) waiting.push_back(directory.child(entry));
          // fls lists streams of NTFS alone.
          if (type != "ntfs" && entry.kind == ItemKind::stream) return true;
          if (directory.path.empty()) counted.in_root.insert(entry.name_raw);
          ++counted.names;
          counted.deleted += entry.allocated ? 0 : 1;
          return true;
        },
        problems);
    static_cast<void>(status);
  }
  for (const Problem& problem : problems)
    counted.has_loop = counted.has_loop || problem.message.find("not followed") != std::string::npos;
  return counted;
}

/// fls sees nothing on ext of the first revision; debugfs does.
void expect_names_of_debugfs(const std::string& path, const std::set<std::string>& names,
                             const Scratch& scratch) {
  if (!has_tool("debugfs")) return;
  run("debugfs -c -R 'ls -p /' '" + path + "' > '" + scratch.path("ls") + "' 2>/dev/null");
  std::istringstream lines(scratch.read("ls"));
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;  // /inode/mode/owner/group/name/size/
    std::istringstream fields(line);
    for (std::string cell; std::getline(fields, cell, '/');) cells.push_back(cell);
    if (cells.size() < 6 || cells[5] == "." || cells[5] == ".." || cells[1] == "0") continue;
    // Of e2fsprogs' f_baddir: behind a damaged record, where debugfs finds its way.
    if (cells[5] == "foo" && names.contains("zero")) continue;
    EXPECT_TRUE(names.contains(cells[5])) << cells[5];
  }
}

bool is_first_revision(ByteSource& image, const Volume& volume) {
  std::array<std::byte, 4> level{};
  const auto got = image.read_at(volume.offset + 1024 + 76, level);
  return volume.filesystem.starts_with("ext") && got && level[0] == std::byte{0};
}

void expect_count(const std::string& path, ExhibitSource& image, const Volume& volume,
                  const std::string& type, std::size_t names, std::size_t deleted, const Scratch& scratch) {
  auto files = open_file_system(image, image.info().sector_size, volume);
  ASSERT_TRUE(files);
  const Counted counted = count_names(**files, type);
  if (is_first_revision(image, volume) && volume.filesystem != "ext4") {
    EXPECT_GE(counted.names, names);
    // Without a root that can be read there is nothing to compare; that is told (DamagedExt).
    if (counted.names > 1) expect_names_of_debugfs(path, counted.in_root, scratch);
    return;
  }
  // fls adds two indexes below $Extend that are no files, goes once more round a loop, and has a directory of
  // orphans on discs, which have none.
  const std::size_t more = type == "ntfs"                                               ? 2
                           : type == "iso9660" || (counted.has_loop && type == "fat32") ? 1
                                                                                        : 0;
  EXPECT_EQ(counted.names + more, names);
  EXPECT_EQ(counted.deleted, deleted);
}

TEST(VolumeFacts, HaveAsManyNamesAsFlsCounts) {
  static const std::regex counts(R"(@(\d+) (\w+): fls -r (\d+) rows, (\d+) deleted)");
  std::size_t checked = 0;
  for (const ManifestRow& row : manifest()) {
    const std::string facts = row.between("measured TSK 4.11.1: ", "\n");
    const auto end = std::sregex_iterator();
    auto found = std::sregex_iterator(facts.begin(), facts.end(), counts);
    // A superblock with illegal values, which e2fsck refuses too: fls takes it for FAT.
    if (found == end || row.path.find("f_crashdisk") != std::string::npos) continue;
    SCOPED_TRACE(row.path);
    const Scratch scratch;
    const std::string path = unpacked(scratch, kCorpus + "/" + row.path);
    auto exhibit = open_exhibit(path);
    ASSERT_TRUE(exhibit) << (exhibit ? "" : exhibit.error().message);
    std::vector<Problem> problems;
    const auto volumes = list_volumes(**exhibit, (*exhibit)->info().sector_size, problems);
    for (; found != end; ++found) {
      const std::uint64_t offset = std::stoull((*found)[1]) * 512;
      const auto volume = std::find_if(volumes.begin(), volumes.end(), [&](const Volume& each) {
        return each.offset == offset && each.slot.starts_with("p");
      });
      ASSERT_NE(volume, volumes.end());
      expect_count(path, **exhibit, *volume, (*found)[2], std::stoull((*found)[3]), std::stoull((*found)[4]),
                   scratch);
      ++checked;
    }
  }
  if (checked == 0) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_GE(checked, 165U);
}

TEST(VolumeFacts, HavePartitionsWhereMmlsFindsThem) {
  static const std::regex starts(R"((\d+) partition\(s\) at ([\d,]+))");
  std::size_t checked = 0;
  for (const ManifestRow& row : manifest()) {
    std::smatch found;
    // A slice cut out of a disk, whose label counts from the start of that disk: mmls takes the numbers as
    // they stand (PartitionImages.BsdSliceAloneCountsFromItsFrame).
    if (!std::regex_search(row.facts, found, starts) || row.path.ends_with("images-pt/bsd.img.xz")) continue;
    SCOPED_TRACE(row.path + ": " + found.str());
    const Scratch scratch;
    auto exhibit = open_exhibit(unpacked(scratch, kCorpus + "/" + row.path));
    ASSERT_TRUE(exhibit);
    std::vector<Problem> problems;
    const auto volumes = list_volumes(**exhibit, (*exhibit)->info().sector_size, problems);
    // With sectors of 512 bytes mmls sees no more than the protective table.
    const bool is_protective = row.path.find("/gpt_") != std::string::npos && found[2] == "1";
    if (is_protective) {
      EXPECT_TRUE(std::any_of(volumes.begin(), volumes.end(), [](const Volume& volume) {
        return volume.slot.starts_with("p") && volume.offset > 512 && !volume.kind.empty();
      }));
      ++checked;
      continue;
    }
    std::istringstream sectors(found[2]);
    for (std::string sector; std::getline(sectors, sector, ',');) {
      const std::uint64_t offset = std::stoull(sector) * 512;
      // A label's partition for the whole disk; beyond the end of a cut image.
      if (offset == 0 || offset >= (*exhibit)->size()) continue;
      EXPECT_TRUE(std::any_of(volumes.begin(), volumes.end(), [&](const Volume& volume) {
        return volume.slot.starts_with("p") && volume.offset == offset;
      })) << sector;
    }
    ++checked;
  }
  if (checked == 0) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_GE(checked, 15U);
}

// dissect.volume tests: physical volumes of LVM2, alone and as parts of mirrors and thin pools.
TEST(VolumeFacts, LvmIsNamed) {
  std::size_t checked = 0;
  for (const ManifestRow& row : manifest()) {
    if (row.path.find("dissect.volume/tests/data/lvm") == std::string::npos) continue;
    SCOPED_TRACE(row.path);
    const Scratch scratch;
    auto source = open_file_source(unpacked(scratch, kCorpus + "/" + row.path));
    ASSERT_TRUE(source);
    std::vector<Problem> problems;
    const auto volumes = list_volumes(**source, 512, problems);
    ASSERT_FALSE(volumes.empty());
    EXPECT_EQ(volumes[0].filesystem, "lvm2");
    EXPECT_THAT(volumes[0].reason, HasSubstr("LVM2"));
    ++checked;
  }
  if (checked == 0) GTEST_SKIP() << "the corpus (TOUCHSTONE_CORPUS) is not there";
  EXPECT_EQ(checked, 4U);
}

}  // namespace
}  // namespace touchstone::test
