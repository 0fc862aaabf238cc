#include "report/manifest.hpp"

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace touchstone {
namespace {

using Kind = ManifestDifference::Kind;

TemporaryFolder& filled(TemporaryFolder& folder) {
  folder.write("case.db", "database");
  folder.write("report/index.html", "<html>");
  folder.write("report/data/a-0.js", "a");
  folder.write("report/back\\slash\nand line", "b");
  folder.write("audit.jsonl", "{}\n");
  folder.write("log/run.log", "log");
  folder.write("case.db-wal", "wal");
  return folder;
}

TEST(Manifest, IsSortedAndLeavesOutWhatGrows) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_manifest(filled(folder).path().string()));
  std::istringstream lines(folder.read("manifest.sha256"));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) names.push_back(line.substr(line.find("  ") + 2));
  EXPECT_EQ(names, (std::vector<std::string>{"case.db", "report/back\\\\slash\\nand line",
                                             "report/data/a-0.js", "report/index.html"}));
}

TEST(Manifest, IsWhatSha256sumChecks) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_manifest(filled(folder).path().string()));
  const std::string check =
      "cd " + folder.path().string() + " && sha256sum --strict --quiet -c manifest.sha256 2>&1";
  EXPECT_EQ(run_command(check).status, 0);
  folder.write("case.db", "databasE");
  EXPECT_NE(run_command(check).status, 0);
}

TEST(Manifest, TellsWhatDiffers) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_manifest(filled(folder).path().string()));
  const std::string dir = folder.path().string();
  const auto clean = verify_manifest(dir);
  ASSERT_TRUE(clean);
  EXPECT_TRUE(clean->empty());

  folder.write("case.db", "changed");
  folder.write("report/new.csv", "new");
  std::filesystem::remove(folder.path() / "report/index.html");
  const auto differences = verify_manifest(dir);
  ASSERT_TRUE(differences);
  ASSERT_EQ(differences->size(), 3U);
  EXPECT_EQ((*differences)[0].path, "case.db");
  EXPECT_EQ((*differences)[0].kind, Kind::changed);
  EXPECT_EQ((*differences)[1].path, "report/index.html");
  EXPECT_EQ((*differences)[1].kind, Kind::missing);
  EXPECT_EQ((*differences)[2].path, "report/new.csv");
  EXPECT_EQ((*differences)[2].kind, Kind::unlisted);
}

TEST(Manifest, RefusesWhatIsNone) {
  TemporaryFolder folder;
  EXPECT_FALSE(verify_manifest(folder.path().string()));
  folder.write("manifest.sha256", "not a digest  file\n");
  const auto result = verify_manifest(folder.path().string());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("manifest.sha256:1"), std::string::npos);
}

}  // namespace
}  // namespace touchstone
