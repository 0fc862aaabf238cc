#include "report/audit.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "temporary_folder.hpp"

namespace touchstone {
namespace {

void append(const TemporaryFolder& folder, std::int64_t at, const std::string& outcome) {
  const AuditEntry entry{at, "touchstone triage \"x\n", "R. Reviewer", "0.1.0", outcome};
  ASSERT_TRUE(append_audit(folder.path().string(), entry));
}

std::size_t breaks(const TemporaryFolder& folder) {
  const auto result = verify_audit(folder.path().string());
  EXPECT_TRUE(result);
  return result ? result->size() : 0;
}

TEST(Audit, ChainsEachLineToTheOneBefore) {
  TemporaryFolder folder;
  append(folder, 1, "complete");
  append(folder, 2, "exit 1");
  append(folder, 3, "complete");
  std::istringstream lines(folder.read("audit.jsonl"));
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(nlohmann::json::parse(first)["previous"], std::string(64, '0'));
  folder.write("first", first);
  const std::string digest =
      run_command("sha256sum < " + (folder.path() / "first").string()).output.substr(0, 64);
  EXPECT_EQ(nlohmann::json::parse(second)["previous"], digest);
  EXPECT_EQ(nlohmann::json::parse(second)["command"], "touchstone triage \"x\n");
  EXPECT_EQ(breaks(folder), 0U);
}

TEST(Audit, NoticesALineThatWasChangedOrRemoved) {
  TemporaryFolder folder;
  for (int i = 1; i <= 4; ++i) append(folder, i, "complete");
  const std::string whole = folder.read("audit.jsonl");
  std::string changed = whole;
  changed.replace(changed.find("\"at\":2"), 6, "\"at\":7");
  folder.write("audit.jsonl", changed);
  EXPECT_EQ(breaks(folder), 1U);
  const std::size_t first_end = whole.find('\n') + 1;
  folder.write("audit.jsonl", whole.substr(0, first_end) + whole.substr(whole.find('\n', first_end) + 1));
  EXPECT_EQ(breaks(folder), 1U);
  folder.write("audit.jsonl", whole.substr(first_end));
  EXPECT_EQ(breaks(folder), 1U);
}

TEST(Audit, GoesOnAfterALineThatWasCutShort) {
  TemporaryFolder folder;
  append(folder, 1, "complete");
  const std::string whole = folder.read("audit.jsonl");
  folder.write("audit.jsonl", whole + "{\"at\":2,\"comm");
  append(folder, 3, "complete");
  EXPECT_EQ(breaks(folder), 1U);
  const std::string text = folder.read("audit.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Audit, HoldsWhereThereIsNone) {
  TemporaryFolder folder;
  EXPECT_EQ(breaks(folder), 0U);
}

}  // namespace
}  // namespace touchstone
