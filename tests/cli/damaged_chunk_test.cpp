// A chunk of an E01 that does not fit its checksum: which files have bytes in it, against The Sleuth Kit's
// ifind on the sound image.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

constexpr std::uint64_t kChunk = 64 * 512;  // what ewfacquire makes unless it is told otherwise
constexpr std::uint64_t kBlock = 1024;      // of the file system: a small one has small blocks

std::string noise(std::size_t size, std::uint32_t state) {
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24U);
  }
  return bytes;
}

class DamagedChunk : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* tool : {"mke2fs", "ewfacquire", "ifind", "istat", "fsstat"})
      if (!have(tool)) GTEST_SKIP() << tool << " is not installed";
    for (int i = 0; i < 4; ++i) {
      const std::string name = "files/f" + std::to_string(i) + ".bin";
      write_file(folder_.path(name), "MARKER-" + std::to_string(i) + noise(20'000 + 9'000 * i, i + 1));
    }
    for (int i = 0; i < 60; ++i)
      write_file(folder_.path("files/many/a-rather-long-name-to-fill-its-blocks-" + std::to_string(i)), "x");
    make_ext4(folder_.path("files"), folder_.path("image"), 8);
    ASSERT_NE(output({"fsstat", folder_.text("image")}).find("Block Size: " + std::to_string(kBlock)),
              std::string::npos);
    ASSERT_EQ(acquire_e01(folder_.text("image"), folder_.text("bad"), "1 GiB").exit_code, 0);
    raw_ = read_file(folder_.path("image"));
  }

  static std::string output(const std::vector<std::string>& command) { return run(command).out; }

  /// Changes the byte of the E01 that holds this byte of the image.
  void damage(std::uint64_t offset) {
    const std::string stored = read_file(folder_.path("bad.E01"));
    const std::size_t at = stored.find(raw_.substr(offset, 64));
    ASSERT_NE(at, std::string::npos);
    ASSERT_EQ(stored.find(raw_.substr(offset, 64), at + 1), std::string::npos);
    std::fstream file(folder_.path("bad.E01"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(stored[at] ^ 0x55));
  }

  /// Inodes to which a chunk's blocks belong, as ifind has them; "Inode not found" for free ones.
  std::set<std::string> owners(std::uint64_t chunk) const {
    std::set<std::string> found;
    for (std::uint64_t block = chunk / kBlock; block < (chunk + kChunk) / kBlock; ++block) {
      std::string inode = output({"ifind", "-d", std::to_string(block), folder_.text("image")});
      inode.erase(std::remove(inode.begin(), inode.end(), '\n'), inode.end());
      if (!inode.empty() && inode.find_first_not_of("0123456789") == std::string::npos) found.insert(inode);
    }
    return found;
  }
  std::vector<std::string> rows(const std::string& sql) { return query(folder_.path("case"), sql); }
  RunResult triage() {
    return run({program(), "triage", "--quiet", "--without", "explicit", "--no-unallocated", "--out",
                folder_.text("case"), "X/1=" + folder_.text("bad.E01")});
  }

  FreshFolder folder_;
  std::string raw_;
};

TEST_F(DamagedChunk, NamesExactlyTheFilesThatHaveBytesInIt) {
  const std::uint64_t marker = raw_.find("MARKER-1");
  const std::uint64_t chunk = marker / kChunk * kChunk;
  damage(marker + 100);
  ASSERT_EQ(triage().exit_code, 3);
  EXPECT_EQ(rows("SELECT range_offset, range_length FROM damaged_item GROUP BY 1, 2"),
            std::vector<std::string>{std::to_string(chunk) + "|" + std::to_string(kChunk)});
  const std::vector<std::string> named = rows(
      "SELECT DISTINCT substr(i.locator, instr(i.locator, ';') + 1) FROM damaged_item d JOIN item i ON i.id "
      "= "
      "d.item_id");
  EXPECT_EQ(std::set<std::string>(named.begin(), named.end()), owners(chunk));
  // Its bytes on the exhibit are those that the sound image has there.
  for (const std::string& row : rows("SELECT i.name || ':' || d.offset || ':' || d.item_offset || ':' || "
                                     "d.length FROM damaged_item d JOIN "
                                     "item i ON i.id = d.item_id WHERE i.kind = 'file'")) {
    std::istringstream fields(row);
    std::string name;
    std::uint64_t offset = 0, within = 0, length = 0;
    char colon = 0;
    std::getline(fields, name, ':');
    fields >> offset >> colon >> within >> colon >> length;
    EXPECT_EQ(raw_.substr(offset, length), read_file(folder_.path("files/" + name)).substr(within, length))
        << row;
  }
  // The item says so itself, and is not passed off as examined.
  EXPECT_EQ(
      rows("SELECT count(*) FROM item WHERE name = 'f1.bin' AND state = 'partly_examined' AND reason LIKE "
           "'%(byte " +
           std::to_string(marker) + " of the exhibit)%'"),
      std::vector<std::string>{"1"});
  const std::string page = read_file(folder_.path("case/report/data/coverage-0.js"));
  EXPECT_NE(page.find("f1.bin;"), std::string::npos) << page.substr(0, 2000);
}

TEST_F(DamagedChunk, NamesTheDirectoryWhoseNamesStandInIt) {
  std::string inode = output({"ifind", "-n", "/many", folder_.text("image")});
  inode.pop_back();
  const std::string described = output({"istat", folder_.text("image"), inode});
  const std::size_t list = described.find("Direct Blocks:\n");
  ASSERT_NE(list, std::string::npos);
  const std::uint64_t first = std::stoull(described.substr(list + 15)) * kBlock;
  damage(first + 64);
  ASSERT_EQ(triage().exit_code, 3);
  EXPECT_EQ(rows("SELECT DISTINCT i.path FROM damaged_item d JOIN item i ON i.id = d.item_id WHERE i.kind = "
                 "'directory'"),
            std::vector<std::string>{"/many"});
}

TEST_F(DamagedChunk, SoundImageHasNone) {
  ASSERT_EQ(triage().exit_code, 0);
  EXPECT_EQ(rows("SELECT count(*) FROM damage"), std::vector<std::string>{"0"});
}

}  // namespace
}  // namespace touchstone::testing
