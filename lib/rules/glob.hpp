// Path globs: `*` any run without "/", `**` any run with "/", `?` one character but "/". "/**/" also stands
// for one
// "/". A pattern without "/" is matched against the last component of a path, any other against the whole
// path, where a missing leading "/" on either side does not matter. All else is literal. Patterns are written
// plainly; paths are given as in Item::path, and what a locator escapes there (% ! @ ; , # and control
// characters) is escaped in the pattern by compile(). One `?` stands for one escaped byte or one UTF-8
// character. Matching takes time proportional to path length × pattern length at the very worst, no
// recursion, no allocation. Immutable after compile(); may be shared by threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

class Glob {
 public:
  /// At most kMaxTokens characters. `fold_case` folds ASCII letters only.
  static Result<Glob> compile(std::string_view pattern, bool fold_case = false);
  /// For rule files: folds case, and refuses "[", since who writes it means a set of characters.
  static Result<Glob> compile_rule(std::string_view pattern);
  bool matches(std::string_view path) const;
  /// Whether a path below the directory `path` could match: a walk need not go where this says no.
  bool may_match_below(std::string_view path) const;
  const std::string& pattern() const { return pattern_; }

  static constexpr std::size_t kMaxTokens = 511;

 private:
  enum class Op : std::uint8_t { unit, any_char, star, any_path, any_directories };
  struct Token {
    Op op;
    std::string unit;  ///< one character, escaped as in a path
  };
  struct States;
  void enter(States& states, std::size_t position) const;
  void run(std::string_view path, States& states) const;
  std::string pattern_, suffix_;  ///< suffix_: literal end that every match has; a cheap first test
  std::vector<Token> tokens_;
  bool fold_case_ = false, last_component_only_ = false;
};

/// Whether any of them matches.
bool any_matches(const std::vector<Glob>& globs, std::string_view path);
/// Wildcards for plain names as well ("keyword*", "explicit"): `*` any run, `?` one byte; no "/" rule.
bool wildcard_matches(std::string_view pattern, std::string_view text);

}  // namespace touchstone
