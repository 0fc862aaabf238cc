// Members of an archive that cannot be unpacked: each says why, at the item.
#include <gtest/gtest.h>
#include <zlib.h>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

using Rows = std::vector<std::string>;

/// A zip as APPNOTE 4.3 has it. The bytes stand as they are, whatever method the headers name.
class MadeZip {
 public:
  void add(const std::string& name, const std::string& bytes, std::uint32_t method, bool damaged = false) {
    std::uint32_t crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    if (damaged) ++crc;
    const std::string about = number(20, 2) + number(0, 2) + number(method, 2) + number(0, 4) +
                              number(crc, 4) + number(bytes.size(), 4) + number(bytes.size(), 4) +
                              number(name.size(), 2) + number(0, 2);
    directory_ +=
        "PK\1\2" + number(20, 2) + about + number(0, 2 + 2 + 2 + 4) + number(members_.size(), 4) + name;
    members_ += "PK\3\4" + about + name + bytes;
    ++count_;
  }
  std::string bytes() const {
    return members_ + directory_ + "PK\5\6" + number(0, 4) + number(count_, 2) + number(count_, 2) +
           number(directory_.size(), 4) + number(members_.size(), 4) + number(0, 2);
  }

 private:
  static std::string number(std::uint64_t value, std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
    return bytes;
  }
  std::string members_, directory_;
  std::size_t count_ = 0;
};

TEST(MemberReason, NamesTheMethodThatIsNotReadAndTheChecksumThatDoesNotFit) {
  const FreshFolder folder;
  MadeZip zip;
  zip.add("sound.txt", "these bytes are sound", 0);
  zip.add("old.txt", "imploded they would be", 6);
  zip.add("older.txt", "shrunk they would be", 1);
  zip.add("broken.txt", "these bytes are not those that were packed", 0, true);
  write_file(folder.path("files/old.zip"), zip.bytes());
  const RunResult triage = run({program(), "triage", "--quiet", "--without", "explicit", "--out",
                                folder.text("case"), "X/1=" + folder.text("files")});
  ASSERT_LE(triage.exit_code, 1) << triage.out << triage.error;
  const auto rows = [&](const std::string& sql) { return query(folder.path("case"), sql); };
  EXPECT_EQ(
      rows("SELECT name || ': ' || state || ': ' || reason FROM item WHERE kind = 'member' AND state <> "
           "'examined' ORDER BY name"),
      (Rows{"broken.txt: partly_examined: damaged inside its container: CRC error",
            "old.txt: unsupported: packed by Implode, which is not read here",
            "older.txt: unsupported: packed by Shrink, which is not read here"}));
  EXPECT_EQ(rows("SELECT p.kind FROM problem p JOIN item i ON i.id = p.item_id WHERE i.name = 'old.txt'"),
            Rows{"unsupported"});
  if (!have("7z")) GTEST_SKIP() << "7z is not installed";
  // The names of the methods are those that 7-Zip gives.
  const std::string listed = run({"7z", "l", "-slt", folder.text("files/old.zip")}).out;
  EXPECT_NE(listed.find("Method = Implode"), std::string::npos);
  EXPECT_NE(listed.find("Method = Shrink"), std::string::npos);
}

}  // namespace
}  // namespace touchstone::testing
