// What every rule file has in common: a kind, an identity, a hash, and a place to point at when something is
// wrong. Plain values; functions here only read files. An Error's message has one line "file:line:column:
// message" for each thing that is wrong (at most kMaxRuleErrors of them).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

enum class RuleKind { keywords, order, ranking, apps, scope, case_file };
/// "keywords", "order", "ranking", "apps", "scope", "case": also the folder's name below the rules root.
const char* to_text(RuleKind kind);

/// Where in a rule file something stands; 0 where that is not known.
struct SourcePlace {
  std::uint32_t line = 0, column = 0;
};

/// Identity of one file of rules, as it goes into the table rule_file.
struct RuleFileInfo {
  std::string path;    ///< as the caller named it
  std::string sha256;  ///< of the file's bytes, lower-case hex
  RuleKind kind = RuleKind::keywords;
  std::string id, version, title;
};

/// A rule file larger than this is refused: the biggest real keyword lists stay far below it.
constexpr std::uint64_t kMaxRuleFileSize = 4U << 20U;
constexpr std::size_t kMaxRuleErrors = 20;

/// The rule files below `root`/KIND, sorted by path: *.toml, not hidden; sub-folders are searched too. A
/// missing folder is an empty list; symbolic links are followed only for files.
Result<std::vector<std::string>> find_rule_files(const std::string& root, RuleKind kind);

/// The bytes of a file of at most `limit` bytes.
Result<std::string> read_rule_file(const std::string& path, std::uint64_t limit = kMaxRuleFileSize);
/// Lower-case hex.
std::string sha256_hex(std::string_view bytes);
/// "file:line:column: message"; line and column are left out where they are 0.
std::string at_place(const std::string& file, SourcePlace place, std::string_view message);
/// The candidate nearest to `word` by edit distance, empty if none is near enough to be a slip of the finger.
std::string nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace touchstone
