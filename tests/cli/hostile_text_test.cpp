// Names and texts from evidence are inert wherever they are shown, and can still be found.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"
#include "support/under_sanitizers.hpp"

namespace touchstone::testing {
namespace {

struct Name {
  const char* raw;
  const char* escaped;  ///< in the locator, by docs/architecture.md
};

// Markup, a script, a formula, a bidirectional override, control characters, invalid UTF-8, a locator's own
// punctuation.
constexpr Name kNames[] = {{"<script>alert(1)<\\script>.txt", "<script>alert(1)<\\script>.txt"},
                           {"=HYPERLINK(1).txt", "=HYPERLINK(1).txt"},
                           {"gpj.\xE2\x80\xAE"
                            "exe.txt",
                            "gpj.%E2%80%AEexe.txt"},
                           {"line\nbreak\x1B[31m.txt", "line%0Abreak%1B[31m.txt"},
                           {"caf\xE9.txt", "caf%E9.txt"},
                           {"a%b!c@d;e,f#g.txt", "a%25b%21c%40d%3Be%2Cf%23g.txt"}};

class HostileText : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!have("mke2fs")) return;
    shared = new FreshFolder;
    for (const Name& name : kNames)
      write_file(shared->path("files") / name.raw, std::string("wipe your phone ") + name.raw);
    const std::string utf16 = [] {
      std::string text = "\xFF\xFE";
      for (const char c : std::string("please wipe your phone now")) text += std::string{c, '\0'};
      return text;
    }();
    write_file(shared->path("files/utf16.txt"), utf16);
    // "電話" (telephone) in Shift-JIS, "naïve – café" in Windows-1252.
    write_file(shared->path("files/sjis.txt"),
               "\x93\x64\x98\x62\x82\xF0\x89\xF3\x82\xB5\x82\xC4\x82\xAD\x82\xBE\x82\xB3\x82\xA2\x81\x42\x93"
               "\x64\x98\x62\x82\xCD\x82\xC7\x82\xB1\x82\xC5\x82\xB7\x82\xA9\x81\x42\n");
    write_file(shared->path("files/cp1252.txt"),
               "a na\xEFve plan \x96 meet me at the caf\xE9 and say nothing to anyone about it\n");
    write_file(shared->path("words.txt"), "電話\nna\u00EFve plan\nalert(1)\n");
    make_ext4(shared->path("files"), shared->path("image"), 4);
    result = run({program(), "triage", "--quiet", "--without", "explicit", "--keywords",
                  shared->text("words.txt"), "--out", shared->text("case"), "X/1=" + shared->text("image")});
  }
  static void TearDownTestSuite() {
    delete shared;
    shared = nullptr;
  }
  void SetUp() override {
    if (!shared) GTEST_SKIP() << "mke2fs is not installed (e2fsprogs)";
  }
  static std::vector<std::string> rows(const std::string& sql) { return query(shared->path("case"), sql); }

  static FreshFolder* shared;
  static RunResult result;
};

FreshFolder* HostileText::shared = nullptr;
RunResult HostileText::result;

TEST_F(HostileText, EveryNameIsAnItemUnderItsEscapedPath) {
  EXPECT_EQ(result.exit_code, 0) << result.error << result.out;
  for (const Name& name : kNames) {
    std::string sql =
        "SELECT count(*) FROM item WHERE path = '/" + std::string(name.escaped) + "' AND state = 'examined'";
    EXPECT_EQ(rows(sql), std::vector<std::string>{"1"}) << name.escaped;
  }
}

TEST_F(HostileText, TerminalSeesNoControlCharacter) {
  for (const char c : result.out + result.error)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  EXPECT_EQ((result.out + result.error).find("\xE2\x80\xAE"), std::string::npos);
}

TEST_F(HostileText, CsvHoldsNoFormulaAndNoControlCharacter) {
  const std::string csv = read_file(shared->path("case/report/item.csv"));
  EXPECT_EQ(csv.find(",=HYPERLINK"), std::string::npos);
  EXPECT_NE(csv.find("'=HYPERLINK(1).txt"), std::string::npos);
  for (const char c : csv)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
}

TEST_F(HostileText, PageDataHoldsNoTagThatCouldClose) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared->path("case/report"))) {
    if (entry.path().extension() != ".js" || entry.path().string().find("/data/") == std::string::npos)
      continue;
    EXPECT_EQ(read_file(entry.path()).find("<script"), std::string::npos) << entry.path();
  }
}

TEST_F(HostileText, TextsInOtherEncodingsAreConvertedInsideTheSandbox) {
  SKIP_UNDER_SANITIZERS();
  const auto found_in = [&](const std::string& name) {
    return rows(
        "SELECT count(*) > 0 FROM finding f JOIN item_row i ON i.content_id = f.content_id WHERE i.name = '" +
        name + "' AND f.plugin = 'keywords'");
  };
  EXPECT_EQ(found_in("utf16.txt"), std::vector<std::string>{"1"});
  EXPECT_EQ(found_in("sjis.txt"), std::vector<std::string>{"1"});
  EXPECT_EQ(found_in("cp1252.txt"), std::vector<std::string>{"1"});
  EXPECT_NE(rows("SELECT value FROM setting WHERE name = 'sandbox'")[0].find("\"seccomp\":true"),
            std::string::npos);
}

}  // namespace
}  // namespace touchstone::testing
