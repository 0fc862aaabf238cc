#include "report/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "temporary_folder.hpp"

namespace touchstone::report {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number_of(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(CsvCell, LeavesPlainTextAlone) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("caf\u00e9 \U0001F44B"), "caf\u00e9 \U0001F44B");
}

// RFC 4180, 2.6 and 2.7.
TEST(CsvCell, QuotesCommasAndQuotes) {
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_cell(""), "\"\"");
}

// OWASP, CSV Injection: cells that begin with = + - @ tab or carriage return.
TEST(CsvCell, KeepsFormulasInert) {
  EXPECT_EQ(csv_cell("=1+1"), "'=1+1");
  EXPECT_EQ(csv_cell("+447700900123"), "'+447700900123");
  EXPECT_EQ(csv_cell("-2"), "'-2");
  EXPECT_EQ(csv_cell("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(csv_cell("\t=1"), "'\u2409=1");
  EXPECT_EQ(csv_cell("\r=1"), "'\u240d=1");
  EXPECT_EQ(csv_cell(" =1"), "' =1");
  EXPECT_EQ(csv_cell("\uff1d1"), "'\uff1d1");
  EXPECT_EQ(csv_cell("1-2"), "1-2");
}

TEST(CsvCell, ShowsControlsAndBidirectionalControls) {
  EXPECT_EQ(csv_cell("a\nb"), "a\u240ab");
  EXPECT_EQ(csv_cell(std::string_view("a\0b", 3)), "a\u2400b");
  EXPECT_EQ(csv_cell("a\x7f"), "a\u2421");
  EXPECT_EQ(csv_cell("gpj\u202Eexe"), "gpj\\u202eexe");
  EXPECT_EQ(csv_cell("a\u2066b\u200fc"), "a\\u2066b\\u200fc");
  EXPECT_EQ(csv_cell("a\u0085b"), "a\\u0085b");
}

TEST(CsvCell, ReplacesInvalidUtf8) {
  EXPECT_EQ(csv_cell("a\xff"), "a\uFFFD");
  EXPECT_EQ(csv_cell("\xc0\xaf"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(csv_cell("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(csv_cell("\xe2\x82"), "\uFFFD\uFFFD");            // cut short
}

TEST(JsonString, KeepsTextExactly) {
  const std::string text =
      "tab\t nul" + std::string(1, '\0') + " quote\" back\\ \u202E \u2028 \x7f caf\u00e9";
  EXPECT_EQ(nlohmann::json::parse(json_of(text)).get<std::string>(), text);
  EXPECT_EQ(json_of("\x01"), "\"\\u0001\"");
  EXPECT_EQ(json_of("\xff"), "\"\uFFFD\"");
}

TEST(JsonNumber, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_of(0.1), "0.1");
  EXPECT_EQ(number_of(51.5), "51.5");
  EXPECT_EQ(number_of(-1.404), "-1.404");
  EXPECT_EQ(number_of(2), "2");
  EXPECT_EQ(number_of(std::numeric_limits<double>::infinity()), "null");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -0.1})
    EXPECT_EQ(std::strtod(number_of(value).c_str(), nullptr), value);
}

TEST(CanonicalJson, SortsKeysAndDropsSpace) {
  std::string out;
  EXPECT_TRUE(append_canonical_json(out, R"({ "b": [1, 2.5], "a": {"d": null, "c": "x"} })"));
  EXPECT_EQ(out, R"({"a":{"c":"x","d":null},"b":[1,2.5]})");
}

TEST(CanonicalJson, RefusesWhatIsNoneOrTooDeep) {
  std::string out;
  EXPECT_FALSE(append_canonical_json(out, "{"));
  EXPECT_FALSE(append_canonical_json(out, "plain text"));
  EXPECT_FALSE(append_canonical_json(out, std::string(100'000, '[') + std::string(100'000, ']')));
  EXPECT_EQ(out, "");
}

TEST(ScriptSafe, LeavesNothingThatEndsAScript) {
  const std::string json = "[\"</script><!--\",\"\u2028\u2029\"]";
  const std::string safe = script_safe(json);
  EXPECT_EQ(safe.find('<'), std::string::npos);
  EXPECT_EQ(safe.find("\u2028"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(safe), nlohmann::json::parse(json));
}

TEST(ShellQuote, ComesBackFromTheShellAsItWas) {
  for (const std::string& text : {std::string("plain.E01"), std::string("with space"), std::string("it's"),
                                  std::string("$(touch x) `id` \"a\" \\"), std::string("-rf"),
                                  std::string("line\nend\ttab"), std::string("r\u202Etl caf\u00e9"),
                                  std::string("\x01\x7f\xff") + "1", std::string("'\\''"), std::string("")}) {
    const std::string quoted = shell_quote(text);
    for (const char c : quoted) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
    TemporaryFolder folder;
    folder.write("script", "printf '%s' " + quoted);
    EXPECT_EQ(run_command("bash " + (folder.path() / "script").string()).output, text);
  }
}

TEST(SqlQuoting, DoublesWhatWouldEndIt) {
  EXPECT_EQ(sql_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(sql_literal("a'b"), "'a''b'");
}

TEST(Shortened, CutsBetweenCharacters) {
  bool cut = false;
  EXPECT_EQ(shortened("ab\u20acd", 4, &cut), "ab");
  EXPECT_TRUE(cut);
  EXPECT_EQ(shortened("ab\u20ac", 5, &cut), "ab\u20ac");
  EXPECT_FALSE(cut);
}

}  // namespace
}  // namespace touchstone::report
