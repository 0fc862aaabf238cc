// Keyword packs (touchstone.keywords/1): terms with why each is there. How terms become Hyperscan expressions
// is keyword_matcher.hpp's business. Plain values; no thread rules.
//
// What a finding of a term looks like (the plugin makes it, ranking reads it): rule = term id, category = the
// pack's category, title = "<pack title>: <why>" (the term's id where it has no why), detail = JSON object
// with at least "pack", "points" (integer), "why", and "match" (the words found).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"
#include "rules/rule_file.hpp"

namespace touchstone {

struct KeywordTerm {
  enum class Kind { literal, regex };
  enum class Case { fold, exact };
  std::string id;  ///< unique in the pack
  std::vector<std::string> match;
  std::vector<SourcePlace> match_places;  ///< one each, for error messages
  Kind kind = Kind::literal;
  Case fold = Case::fold;
  bool whole_word = true;  ///< default: true for literals, false for regular expressions
  int points = 0;          ///< 0–1000
  std::string why, note;
  std::vector<std::string> examples, not_examples;
  SourcePlace place;
};

struct KeywordPack {
  RuleFileInfo info;
  std::string category;  ///< of its findings; the pack's id where the file has no key `category`
  std::string note;
  std::vector<std::string> languages;
  std::vector<KeywordTerm> terms;
};

/// Reads and checks a pack; examples are not run yet (check_keyword_examples does).
Result<KeywordPack> parse_keyword_pack(std::string_view text, const std::string& name);
/// One term a line, "#" starts a comment line; a term's id is its text. Literal, case folded, whole word, 100
/// points.
Result<KeywordPack> parse_keyword_text(std::string_view text, const std::string& name);
/// By extension: .toml is a pack, all else one term a line. Examples are run, unless it is known that they
/// were.
Result<KeywordPack> load_keyword_pack(const std::string& path, bool run_examples = true);
/// All packs of `root`/keywords, sorted by path; ids must be unique. Examples are run.
Result<std::vector<KeywordPack>> load_keyword_packs(const std::string& root);
/// Each example must be found by its term and each counter-example must not.
Status check_keyword_examples(const KeywordPack& pack);

}  // namespace touchstone
