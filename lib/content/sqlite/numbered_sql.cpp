#include "content/sqlite/numbered_sql.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace touchstone::sqlite {
namespace {

struct Word {
  std::string text;  ///< upper case
  std::size_t end = 0;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Behind what is quoted or commented out at `at`; `at` itself where nothing is.
std::size_t skipped(std::string_view sql, std::size_t at) {
  const auto behind = [&](std::string_view close, std::size_t from) {
    const std::size_t found = sql.find(close, from);
    return found == std::string_view::npos ? sql.size() : found + close.size();
  };
  if (sql.substr(at, 2) == "--") return behind("\n", at);
  if (sql.substr(at, 2) == "/*") return behind("*/", at + 2);
  const char c = sql[at];
  if (c == '[') return behind("]", at);
  if (c == '\'' || c == '"' || c == '`') return behind(std::string_view(&c, 1), at + 1);
  return at;
}

/// The words outside of all parentheses. A quote that is doubled ends one text and begins the next.
std::vector<Word> outer_words(std::string_view sql) {
  std::vector<Word> words;
  int depth = 0;
  for (std::size_t at = 0; at < sql.size();) {
    if (const std::size_t next = skipped(sql, at); next > at) {
      at = next;
      continue;
    }
    if (sql[at] == '(') ++depth;
    if (sql[at] == ')') --depth;
    if (!is_word(sql[at])) {
      ++at;
      continue;
    }
    Word word;
    for (; at < sql.size() && is_word(sql[at]); ++at)
      word.text += sql[at] >= 'a' && sql[at] <= 'z' ? static_cast<char>(sql[at] - 'a' + 'A') : sql[at];
    word.end = at;
    if (depth == 0) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

std::optional<std::string> with_column_in_front(std::string_view sql, std::string_view column) {
  static constexpr std::array kCounts{"GROUP", "LIMIT", "INTERSECT", "EXCEPT", "VALUES"};
  const std::vector<Word> words = outer_words(sql);
  std::string result;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    const std::string next = i + 1 < words.size() ? words[i + 1].text : "";
    if (std::any_of(kCounts.begin(), kCounts.end(), [&](const char* each) { return word == each; }) ||
        (word == "UNION" && next != "ALL"))
      return std::nullopt;
    if (word != "SELECT") continue;
    const std::size_t behind = next == "DISTINCT" || next == "ALL" ? words[i + 1].end : words[i].end;
    result.append(sql.substr(copied, behind - copied)).append(" ").append(column).append(",");
    copied = behind;
  }
  if (copied == 0) return std::nullopt;
  return result.append(sql.substr(copied));
}

}  // namespace touchstone::sqlite
