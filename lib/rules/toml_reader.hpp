// Strict reading of one TOML file: every key is asked for by name, what was not asked for is an error with a
// suggestion, and all errors are collected with their place. For the .cpp files of this folder only; it pulls
// in toml++. A RuleReader outlives the TableReaders made from it; one thread.
#pragma once

#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rule_file.hpp"

namespace touchstone {

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

/// A date and time as written: seconds since 1970 by its own clock, and the offset if it has one.
struct TomlTime {
  std::int64_t local_s = 0;
  std::int64_t microseconds = 0;
  std::optional<int> offset_minutes;
};

class RuleReader;

/// One table, with the keys that were asked for so far. finish() complains about the others.
class TableReader {
 public:
  TableReader(RuleReader& reader, const toml::table& table, std::string what);

  bool has(std::string_view key) const { return table_->contains(key); }
  SourcePlace place() const;
  SourcePlace place(std::string_view key) const;

  std::string text(std::string_view key, bool required, std::size_t max_length = 1000);
  /// Letters, digits, ".", "_", "-", at most 64: what may stand in keys of the case database and in file
  /// names.
  std::string identifier(std::string_view key, bool required);
  std::optional<std::int64_t> integer(std::string_view key, bool required, std::int64_t min,
                                      std::int64_t max);
  std::optional<double> number(std::string_view key, bool required, double min, double max);
  std::optional<bool> boolean(std::string_view key, bool required = kOptional);
  std::optional<TomlTime> time(std::string_view key, bool required);
  /// A string is taken as an array of one. Empty strings and strings given twice are errors.
  std::vector<std::string> texts(std::string_view key, bool required, std::size_t max_items = 1000,
                                 std::size_t max_length = 1000, std::vector<SourcePlace>* places = nullptr);
  /// Index of the text among `choices`.
  std::optional<std::size_t> choice(std::string_view key, bool required,
                                    const std::vector<std::string_view>& choices);
  std::vector<std::size_t> choices(std::string_view key, const std::vector<std::string_view>& choices);

  /// Calls `read` for each table of an array of tables; finish() is called after it.
  void tables(std::string_view key, bool required, std::size_t max_items,
              const std::function<void(TableReader&)>& read);
  /// Calls `read` for one sub-table, if it is there.
  void table(std::string_view key, const std::function<void(TableReader&)>& read);
  /// Every key with its node, for tables whose keys are data; marks all as asked for. In the order of the
  /// file.
  std::vector<std::string> keys();

  void error(std::string_view message) const;
  void error_at(std::string_view key, std::string_view message) const;
  void finish() const;

 private:
  const toml::node* find(std::string_view key, bool required);
  bool check_text(const toml::node& node, std::string_view key, const std::string& value,
                  std::size_t max_length) const;
  RuleReader* reader_;
  const toml::table* table_;
  std::string what_;
  std::vector<std::string> asked_;
};

class RuleReader {
 public:
  /// Parses; a syntax error is the only error then. `name` stands before each message.
  RuleReader(std::string_view text, std::string name);
  /// Reads schema, id, version and title into a RuleFileInfo, then calls `read` with the root table.
  /// Without syntax errors only. `with_identity` is false for case files, which have but a schema.
  RuleFileInfo read(RuleKind kind, std::string_view schema, bool with_identity,
                    const std::function<void(TableReader&)>& read);
  void error(SourcePlace place, std::string_view message);
  bool ok() const { return errors_.empty(); }
  /// All errors in order of place, one a line.
  Error failure() const;
  const std::string& name() const { return name_; }

 private:
  struct Line {
    SourcePlace place;
    std::string message;
  };
  std::string name_, sha256_;
  toml::table root_;
  bool parsed_ = false;
  std::vector<Line> errors_;
};

inline SourcePlace place_of(const toml::node& node) {
  return {node.source().begin.line, node.source().begin.column};
}

}  // namespace touchstone
