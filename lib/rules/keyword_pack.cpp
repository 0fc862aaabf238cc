#include "rules/keyword_pack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "rules/keyword_matcher.hpp"
#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMaxTerms = 20'000;  // Hyperscan compiles that many literals in seconds
constexpr std::size_t kMaxMatchesPerTerm = 500;
constexpr std::size_t kMaxExpression = 2'000;  // bytes
constexpr int kPlainTextPoints = 100;

void read_term(TableReader& table, KeywordTerm& term) {
  term.place = table.place();
  term.id = table.identifier("id", kRequired);
  term.match = table.texts("match", kRequired, kMaxMatchesPerTerm, kMaxExpression, &term.match_places);
  if (const auto kind = table.choice("kind", kOptional, {"literal", "regex"})) {
    term.kind = *kind == 0 ? KeywordTerm::Kind::literal : KeywordTerm::Kind::regex;
  }
  if (const auto fold = table.choice("case", kOptional, {"fold", "exact"})) {
    term.fold = *fold == 0 ? KeywordTerm::Case::fold : KeywordTerm::Case::exact;
  }
  term.whole_word = table.boolean("whole_word").value_or(term.kind == KeywordTerm::Kind::literal);
  term.points = static_cast<int>(table.integer("points", kOptional, 0, 1000).value_or(0));
  term.why = table.text("why", kRequired);
  term.note = table.text("note", kOptional);
  term.examples = table.texts("examples", kOptional);
  term.not_examples = table.texts("not_examples", kOptional);
}

}  // namespace

Result<KeywordPack> parse_keyword_pack(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  KeywordPack pack;
  pack.info = reader.read(RuleKind::keywords, "touchstone.keywords/1", true, [&](TableReader& root) {
    pack.category = root.identifier("category", kOptional);
    pack.note = root.text("note", kOptional, 4000);
    pack.languages = root.texts("languages", kOptional, 50, 35);
    std::set<std::string> ids;
    root.tables("term", kRequired, kMaxTerms, [&](TableReader& table) {
      KeywordTerm term;
      read_term(table, term);
      if (!term.id.empty() && !ids.insert(term.id).second) {
        table.error_at("id", fmt::format("the term \"{}\" is there twice", term.id));
      }
      pack.terms.push_back(std::move(term));
    });
  });
  if (pack.category.empty()) pack.category = pack.info.id;
  if (!reader.ok()) return reader.failure();
  return pack;
}

Result<KeywordPack> parse_keyword_text(std::string_view text, const std::string& name) {
  KeywordPack pack;
  const std::string stem = std::filesystem::path(name).stem().string();
  pack.info = {name, sha256_hex(text), RuleKind::keywords, stem.empty() ? "keywords" : stem, "1", stem};
  pack.category = "keywords";
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::set<std::string> seen;
  std::uint32_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    const SourcePlace place{line_number, 1};
    if (line.size() > kMaxExpression) {
      return Error{ErrorCode::invalid,
                   at_place(name, place, fmt::format("longer than {} bytes", kMaxExpression))};
    }
    if (line.find('\0') != std::string_view::npos) {
      return Error{ErrorCode::invalid, at_place(name, place, "holds a NUL; is this a text file in UTF-8?")};
    }
    if (!seen.insert(std::string(line)).second)
      continue;  // lists made by hand often repeat a word; harmless here
    if (pack.terms.size() >= kMaxTerms) {
      return Error{ErrorCode::limit,
                   at_place(name, place, fmt::format("more than {} terms in one file", kMaxTerms))};
    }
    KeywordTerm term;
    term.id = std::string(line);
    term.match = {term.id};
    term.match_places = {place};
    term.points = kPlainTextPoints;
    term.why = "Searched for on request.";
    term.place = place;
    pack.terms.push_back(std::move(term));
  }
  if (pack.terms.empty()) return Error{ErrorCode::invalid, fmt::format("{}: no keyword in it", name)};
  return pack;
}

Result<KeywordPack> load_keyword_pack(const std::string& path, bool run_examples) {
  auto text = read_rule_file(path);
  if (!text) return text.error();
  const bool toml = std::filesystem::path(path).extension() == ".toml";
  auto pack = toml ? parse_keyword_pack(*text, path) : parse_keyword_text(*text, path);
  if (!pack || !run_examples) return pack;
  if (const Status examples = check_keyword_examples(*pack); !examples) return examples.error();
  return pack;
}

Result<std::vector<KeywordPack>> load_keyword_packs(const std::string& root) {
  auto paths = find_rule_files(root, RuleKind::keywords);
  if (!paths) return paths.error();
  std::vector<KeywordPack> packs;
  std::map<std::string, std::string> ids;
  for (const std::string& path : *paths) {
    auto pack = load_keyword_pack(path);
    if (!pack) return pack.error();
    const auto [at, fresh] = ids.emplace(pack->info.id, path);
    if (!fresh) {
      return Error{ErrorCode::invalid,
                   fmt::format("{}: the id \"{}\" is also that of {}", path, at->first, at->second)};
    }
    packs.push_back(pack.take());
  }
  return packs;
}

Status check_keyword_examples(const KeywordPack& pack) {
  const auto matcher =
      KeywordMatcher::compile(std::span(&pack, 1), {.cache = cache_folder(), .fill_cache = true});
  if (!matcher) return matcher.error();
  std::vector<std::string> errors;
  for (std::uint32_t i = 0; i < pack.terms.size(); ++i) {
    const KeywordTerm& term = pack.terms[i];
    const auto found = [&](const std::string& text) {
      bool hit = false;
      const Status status = matcher->scan(text, [&](const KeywordHit& h) { return !(hit = h.term == i); });
      if (!status) errors.push_back(at_place(pack.info.path, term.place, status.error().message));
      return hit;
    };
    for (const std::string& text : term.examples) {
      if (found(text)) continue;
      errors.push_back(
          at_place(pack.info.path, term.place,
                   fmt::format("the term \"{}\" does not find its example \"{}\"", term.id, text)));
    }
    for (const std::string& text : term.not_examples) {
      if (!found(text)) continue;
      errors.push_back(
          at_place(pack.info.path, term.place,
                   fmt::format("the term \"{}\" finds its counter-example \"{}\"", term.id, text)));
    }
  }
  if (errors.empty()) return {};
  std::string message;
  for (std::size_t i = 0; i < errors.size() && i < kMaxRuleErrors; ++i)
    message += (i ? "\n" : "") + errors[i];
  return Error{ErrorCode::invalid, message};
}

}  // namespace touchstone
