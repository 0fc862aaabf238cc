#include "content/sqlite/table_shape.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace touchstone::sqlite {
namespace {

struct Token {
  enum class Kind { word, quoted, string, number, symbol, end };
  Kind kind = Kind::end;
  std::string text;  ///< without quotes
};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  Token next() {
    skip_blanks();
    if (at_ >= sql_.size()) return {};
    const char c = sql_[at_];
    if (c == '"' || c == '`' || c == '[' || c == '\'') return quoted(c == '[' ? ']' : c, c == '\'');
    const std::size_t start = at_;
    if (is_word(c) || (c == '.' && at_ + 1 < sql_.size() && is_digit(sql_[at_ + 1]))) {
      while (at_ < sql_.size() && (is_word(sql_[at_]) || (is_digit(c) && sql_[at_] == '.'))) ++at_;
      if (at_ == start) ++at_;
      return {is_digit(c) ? Token::Kind::number : Token::Kind::word,
              std::string(sql_.substr(start, at_ - start))};
    }
    ++at_;
    return {Token::Kind::symbol, std::string(1, c)};
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  void skip_blanks() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++at_;
      } else if (sql_.substr(at_, 2) == "--") {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (sql_.substr(at_, 2) == "/*") {
        const std::size_t end = sql_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? sql_.size() : end + 2;
      } else {
        return;
      }
    }
  }
  Token quoted(char close, bool is_string) {
    Token token{is_string ? Token::Kind::string : Token::Kind::quoted, {}};
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] == close) {
        if (close == ']' || at_ + 1 >= sql_.size() || sql_[at_ + 1] != close) break;
        ++at_;
      }
      token.text += sql_[at_];
    }
    ++at_;
    return token;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

Affinity affinity_of(std::string_view type) {
  const std::string name = upper(type);
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (has("INT")) return Affinity::integer;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::text;
  if (has("BLOB") || name.empty()) return Affinity::blob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::real;
  return Affinity::numeric;
}

/// As SQLite converts a value on its way into a column, for the literals of DEFAULT.
SqlValue apply_affinity(SqlValue value, Affinity affinity) {
  using Kind = SqlValue::Kind;
  if (affinity == Affinity::real && value.kind == Kind::integer) {
    value.kind = Kind::real;
    value.real = static_cast<double>(value.integer);
    value.integer = 0;
  } else if (affinity == Affinity::text && value.kind == Kind::integer) {
    value = {Kind::text, 0, 0, std::to_string(value.integer)};
  } else if (value.kind == Kind::text && (affinity == Affinity::integer || affinity == Affinity::numeric)) {
    std::int64_t number = 0;
    const char* end = value.bytes.data() + value.bytes.size();
    if (const auto [stop, failed] = std::from_chars(value.bytes.data(), end, number);
        failed == std::errc() && stop == end)
      value = {Kind::integer, number, 0, {}};
  }
  return value;
}

SqlValue literal(const Token& token, bool negative) {
  using Kind = SqlValue::Kind;
  if (token.kind == Token::Kind::string || token.kind == Token::Kind::quoted)
    return {Kind::text, 0, 0, token.text};
  if (token.kind == Token::Kind::number) {
    std::int64_t number = 0;
    const char* end = token.text.data() + token.text.size();
    if (const auto [stop, failed] = std::from_chars(token.text.data(), end, number);
        failed == std::errc() && stop == end)
      return {Kind::integer, negative ? -number : number, 0, {}};
    const double real = std::strtod(token.text.c_str(), nullptr);
    return {Kind::real, 0, negative ? -real : real, {}};
  }
  const std::string word = upper(token.text);
  if (word == "TRUE" || word == "FALSE") return {Kind::integer, word == "TRUE" ? 1 : 0, 0, {}};
  return {};
}

struct Definition {
  Column column;
  std::string type;
  bool primary_key = false, descending = false, autoincrement = false, virtual_column = false;
};

class Parser {
 public:
  explicit Parser(std::string_view sql) : scanner_(sql) { advance(); }

  std::optional<TableShape> parse() {
    if (!take("CREATE")) return std::nullopt;
    if (!take("TEMP")) take("TEMPORARY");
    if (!take("TABLE")) return std::nullopt;
    if (take("IF") && (!take("NOT") || !take("EXISTS"))) return std::nullopt;
    TableShape shape;
    shape.name = token_.text;
    advance();
    if (is_symbol('.')) {
      advance();
      shape.name = token_.text;
      advance();
    }
    if (!is_symbol('(')) return std::nullopt;
    advance();
    while (token_.kind != Token::Kind::end && !is_symbol(')')) {
      if (is_table_constraint()) {
        read_table_constraint();
      } else {
        read_column();
        if (definitions_.size() > kMaxColumns) return std::nullopt;
      }
      if (is_symbol(',')) advance();
    }
    advance();
    for (; token_.kind != Token::Kind::end; advance())
      if (is_word_token("WITHOUT")) shape.without_rowid = true;
    finish(shape);
    if (shape.columns.empty()) return std::nullopt;
    return shape;
  }

 private:
  void advance() { token_ = scanner_.next(); }
  bool is_symbol(char c) const { return token_.kind == Token::Kind::symbol && token_.text[0] == c; }
  bool is_word_token(std::string_view word) const {
    return token_.kind == Token::Kind::word && upper(token_.text) == word;
  }
  bool take(std::string_view word) {
    if (!is_word_token(word)) return false;
    advance();
    return true;
  }
  bool is_table_constraint() const {
    for (const char* word : {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
      if (is_word_token(word)) return true;
    return false;
  }
  /// A parenthesis with all within; anything else is one token.
  void skip_one() {
    int depth = 0;
    do {
      if (is_symbol('(')) ++depth;
      if (is_symbol(')')) --depth;
      advance();
    } while (depth > 0 && token_.kind != Token::Kind::end);
  }
  bool at_end_of_item() const { return token_.kind == Token::Kind::end || is_symbol(',') || is_symbol(')'); }

  void read_table_constraint() {
    if (take("CONSTRAINT")) advance();
    const bool key = is_word_token("PRIMARY");
    while (!at_end_of_item() && !is_symbol('(')) advance();
    if (key && is_symbol('(')) {
      int depth = 0;
      bool wants_name = true;
      do {
        if (is_symbol('(')) {
          ++depth;
        } else if (is_symbol(')')) {
          --depth;
        } else if (is_symbol(',')) {
          wants_name = true;
        } else if (wants_name) {
          key_.push_back(upper(token_.text));
          wants_name = false;
        }
        advance();
      } while (depth > 0 && token_.kind != Token::Kind::end);
    }
    while (!at_end_of_item()) skip_one();
  }

  void read_column() {
    Definition d;
    d.column.name = token_.text;
    advance();
    while (token_.kind != Token::Kind::end && !at_end_of_item() && !is_constraint_word()) {
      if (is_symbol('(')) {
        skip_one();
        continue;
      }
      d.type += (d.type.empty() ? "" : " ") + token_.text;
      advance();
    }
    d.column.affinity = affinity_of(d.type);
    while (!at_end_of_item()) read_constraint(d);
    d.column.default_value = apply_affinity(std::move(d.column.default_value), d.column.affinity);
    definitions_.push_back(std::move(d));
  }
  bool is_constraint_word() const {
    if (token_.kind != Token::Kind::word) return false;
    static constexpr const char* kWords[] = {"CONSTRAINT", "PRIMARY",   "NOT",     "NULL",
                                             "UNIQUE",     "CHECK",     "DEFAULT", "COLLATE",
                                             "REFERENCES", "GENERATED", "AS"};
    const std::string word = upper(token_.text);
    return std::any_of(std::begin(kWords), std::end(kWords), [&](const char* w) { return word == w; });
  }
  void read_constraint(Definition& d) {
    if (take("PRIMARY")) {
      take("KEY");
      d.primary_key = true;
      if (take("DESC")) d.descending = true;
    } else if (take("AUTOINCREMENT")) {
      d.autoincrement = true;
    } else if (take("NOT")) {
      if (take("NULL")) d.column.not_null = true;
    } else if (take("DEFAULT")) {
      const bool negative = is_symbol('-');
      if (negative || is_symbol('+')) advance();
      if (!is_symbol('(')) d.column.default_value = literal(token_, negative);
      skip_one();
    } else if (take("AS")) {
      d.virtual_column = true;
      skip_one();
      if (take("STORED")) d.virtual_column = false;
    } else {
      skip_one();
    }
  }

  void finish(TableShape& shape) {
    for (const Definition& d : definitions_)
      if (d.primary_key) key_.push_back(upper(d.column.name));
    const auto is_key = [&](const Definition& d, std::size_t part) {
      return part < key_.size() && upper(d.column.name) == key_[part];
    };
    std::erase_if(definitions_, [](const Definition& d) { return d.virtual_column; });
    if (shape.without_rowid) {
      // The key's columns come first, in the order of the key.
      for (std::size_t part = key_.size(); part-- > 0;) {
        const auto found = std::find_if(definitions_.begin(), definitions_.end(),
                                        [&](const Definition& d) { return is_key(d, part); });
        if (found != definitions_.end()) std::rotate(definitions_.begin(), found, found + 1);
      }
    }
    for (Definition& d : definitions_) {
      if (!shape.without_rowid && key_.size() == 1 && is_key(d, 0) && upper(d.type) == "INTEGER" &&
          !d.descending) {
        shape.row_id_column = shape.columns.size();
        shape.autoincrement = d.autoincrement;
      }
      shape.columns.push_back(std::move(d.column));
    }
  }

  Scanner scanner_;
  Token token_;
  std::vector<Definition> definitions_;
  std::vector<std::string> key_;
};

}  // namespace

std::optional<TableShape> parse_create_table(std::string_view sql) {
  return Parser(sql).parse();
}

TableShape schema_table_shape() {
  TableShape shape;
  shape.name = "sqlite_schema";
  shape.root = 1;
  for (const char* name : {"type", "name", "tbl_name"})
    shape.columns.push_back({name, Affinity::text, false, {}});
  shape.columns.push_back({"rootpage", Affinity::integer, false, {}});
  shape.columns.push_back({"sql", Affinity::text, false, {}});
  return shape;
}

}  // namespace touchstone::sqlite
