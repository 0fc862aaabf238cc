// $I files of real recycle bins of Windows 10: what plaso's test states, and of another one what Python
// reads.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/cli_runner.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using touchstone::testing::have;
using touchstone::testing::read_file;
using touchstone::testing::run;

nlohmann::json detail_of(const std::string& path, const std::string& name) {
  const auto host = PluginHost::load("recyclebin");
  TestItem item;
  item.path = "/$Recycle.Bin/S-1-5-21-1-2-3-1001/" + name;
  item.bytes = read_file(path);
  EXPECT_TRUE(host && host->matches(item));
  if (!host) return {};
  const Outcome outcome = host->examine(item);
  EXPECT_EQ(outcome.findings.size(), 1U);
  return outcome.findings.empty() ? nlohmann::json() : nlohmann::json::parse(outcome.findings[0].detail);
}

// plaso tests/parsers/recycler.py testParseWindows10.
TEST(RecycleBinFacts, OfWindows10AreThosePlasoStates) {
  const std::string path =
      std::string(TOUCHSTONE_CORPUS_DIR) + "/log2timeline+plaso/test_data/recycler/$I103S5F.jpg";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there (TOUCHSTONE_CORPUS)";
  const nlohmann::json detail = detail_of(path, "$I103S5F.jpg");
  EXPECT_EQ(detail["original"], "C:\\Users\\random\\Downloads\\bunnies.jpg");
  EXPECT_EQ(detail["size"], 222'255);
  EXPECT_EQ(detail["deleted_at"], 1'467'236'265'618'000);  // 2016-06-29T21:37:45.618
  EXPECT_EQ(detail["tells_of"], "$R103S5F.jpg");
}

TEST(RecycleBinFacts, OfAShortcutAreThosePythonReads) {
  const std::string path =
      std::string(TOUCHSTONE_CORPUS_DIR) + "/EricZimmerman+Lnk/Lnk.Test/TestFiles/Bad/$I2GXWHL.lnk";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there (TOUCHSTONE_CORPUS)";
  if (!have("python3")) GTEST_SKIP() << "python3 is not installed";
  const nlohmann::json detail = detail_of(path, "$I2GXWHL.lnk");
  const auto python =
      run({"python3", "-c",
           "import struct, sys\nb = open(sys.argv[1], 'rb').read()\n"
           "v, size, time, n = struct.unpack('<QQQI', b[:28])\n"
           "print(v, size, (time - 116444736000000000) // 10, b[28:28 + 2 * n - 2].decode('utf-16-le'))",
           path});
  std::string ours = "2 ";
  ours.append(detail["size"].dump()).append(" ").append(detail["deleted_at"].dump());
  ours.append(" ").append(detail["original"].get<std::string>()).append("\n");
  EXPECT_EQ(ours, python.out);
}

}  // namespace
}  // namespace touchstone::test
