// Compiled databases of Hyperscan: the expressions that go in, and a cache of what comes out. Internal to
// lib/rules.
#pragma once

#include <hs/hs.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/keyword_matcher.hpp"

namespace touchstone::keyword {

struct ScratchDeleter {
  void operator()(hs_scratch_t* p) const { hs_free_scratch(p); }
};
struct DatabaseDeleter {
  void operator()(hs_database_t* p) const { hs_free_database(p); }
};
struct CompileErrorDeleter {
  void operator()(hs_compile_error_t* p) const { hs_free_compile_error(p); }
};
using DatabasePtr = std::unique_ptr<hs_database_t, DatabaseDeleter>;

struct Expression {
  std::uint32_t pack, term;
  Encoding encoding;
  bool whole_word, may_fail, raw;
  SourcePlace place;
  std::string pattern;
  unsigned flags;
  // Some expressions grow too large when Hyperscan keeps track of starts. They are searched without, and this
  // database, the same expression bound to both ends, finds the start of what was matched.
  std::shared_ptr<const hs_database_t> start_finder;  // shared by copies of the expression
};

/// Compiles, or takes what was compiled before from `options.cache`; gives the index of the offending
/// expression and its message where that fails.
std::optional<std::pair<std::size_t, std::string>> compile_all(const std::vector<Expression>& expressions,
                                                               const KeywordMatcher::Options& options,
                                                               DatabasePtr& database);

/// Gives up the starts that Hyperscan would report. False if that is no way out.
bool search_without_start(Expression& expression);

}  // namespace touchstone::keyword
