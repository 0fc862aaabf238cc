#include "rules/sql_text.hpp"

#include <algorithm>

namespace touchstone {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Moves past white space and comments.
std::size_t skip_blank(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    if (is_space(sql[at])) {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      const std::size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

/// Moves past a string or quoted name that begins at `at`; npos if it has no end.
std::size_t skip_quoted(std::string_view sql, std::size_t at) {
  const char close = sql[at] == '[' ? ']' : sql[at];
  const std::size_t end = sql.find(close, at + 1);
  return end == std::string_view::npos
             ? end
             : end + 1;  // a doubled quote is two strings side by side: the same end
}

}  // namespace

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<std::string> single_select(std::string_view sql) {
  while (!sql.empty() && is_space(sql.back())) sql.remove_suffix(1);
  while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
  std::size_t at = skip_blank(sql, 0);
  std::size_t word_end = at;
  while (word_end < sql.size() && is_letter(sql[word_end])) ++word_end;
  const std::string first = lower_ascii(sql.substr(at, word_end - at));
  if (first != "select" && first != "with")
    return Error{ErrorCode::invalid, "the SQL must be one SELECT or WITH statement"};
  while (at < sql.size()) {
    const char c = sql[at];
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      at = skip_quoted(sql, at);
      if (at == std::string_view::npos)
        return Error{ErrorCode::invalid, "the SQL has a quotation mark without its other half"};
    } else if (c == ';') {
      if (skip_blank(sql, at + 1) != sql.size())
        return Error{ErrorCode::invalid, "the SQL holds more than one statement"};
      return std::string(sql.substr(0, at));
    } else if (c == '?' || c == '@' || c == '$' ||
               (c == ':' && at + 1 < sql.size() && is_letter(sql[at + 1]))) {
      return Error{ErrorCode::invalid, "the SQL holds a parameter, for which there is no value"};
    } else {
      const std::size_t next = skip_blank(sql, at);
      at = next > at ? next : at + 1;
    }
  }
  return std::string(sql);
}

}  // namespace touchstone
