#include "rules/glob.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace touchstone {
namespace {

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal(std::string_view a, std::string_view b, bool fold) {
  if (!fold) return a == b;
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return folded(x) == folded(y); });
}

/// Length of the character at the start of `text`: an escape %XX, a UTF-8 sequence, or a byte.
std::size_t unit_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead == '%' ? 3 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return std::min(length, text.size());
}

/// A character of a pattern as it stands in Item::path (locator.hpp).
std::string escaped_unit(std::string_view unit) {
  const auto c = static_cast<unsigned char>(unit[0]);
  const bool special =
      c < 0x20 || c == 0x7f || std::string_view("%!@;,#").find(unit[0]) != std::string_view::npos;
  return unit.size() == 1 && special ? fmt::format("%{:02X}", c) : std::string(unit);
}

}  // namespace

/// The set of positions that a match may have reached, one bit each.
struct Glob::States {
  std::array<std::uint64_t, (kMaxTokens + 1) / 64> words{};
  bool test(std::size_t i) const { return words[i / 64] >> (i % 64) & 1U; }
  void set(std::size_t i) { words[i / 64] |= std::uint64_t{1} << (i % 64); }
};

Result<Glob> Glob::compile(std::string_view pattern, bool fold_case) {
  Glob glob;
  glob.pattern_ = pattern;
  glob.fold_case_ = fold_case;
  glob.last_component_only_ =
      pattern.find('/') == std::string_view::npos && pattern.find("**") == std::string_view::npos;
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty()) return Error{ErrorCode::invalid, "an empty path pattern"};
  bool after_slash = true;  // also true at the start, where a "/" may be imagined
  while (!pattern.empty()) {
    std::size_t length = 1;
    if (pattern.starts_with("**/") && after_slash) {
      glob.tokens_.push_back({Op::any_directories, {}});
      length = 3;
    } else if (pattern.starts_with("**")) {
      glob.tokens_.push_back({Op::any_path, {}});
      length = std::min(pattern.find_first_not_of('*'), pattern.size());
      after_slash = false;
    } else if (pattern[0] == '*' || pattern[0] == '?') {
      glob.tokens_.push_back({pattern[0] == '*' ? Op::star : Op::any_char, {}});
      after_slash = false;
    } else {
      length = pattern[0] == '%' ? 1 : unit_length(pattern);
      glob.tokens_.push_back({Op::unit, escaped_unit(pattern.substr(0, length))});
      after_slash = pattern[0] == '/';
    }
    pattern.remove_prefix(length);
    if (glob.tokens_.size() > kMaxTokens) {
      return Error{ErrorCode::invalid, fmt::format("a path pattern of more than {} characters", kMaxTokens)};
    }
  }
  for (auto token = glob.tokens_.rbegin(); token != glob.tokens_.rend() && token->op == Op::unit; ++token) {
    glob.suffix_.insert(0, token->unit);
  }
  return glob;
}

Result<Glob> Glob::compile_rule(std::string_view pattern) {
  if (pattern.find('[') != std::string_view::npos)
    return Error{
        ErrorCode::invalid,
        fmt::format("\"{}\": a path pattern has no sets in brackets; write ? for any one character, or "
                    "a pattern for each",
                    pattern)};
  return compile(pattern, true);
}

void Glob::enter(States& states, std::size_t position) const {
  states.set(position);
  while (position < tokens_.size() && tokens_[position].op != Op::unit &&
         tokens_[position].op != Op::any_char) {
    states.set(++position);  // all wildcards of any length may be empty
  }
}

void Glob::run(std::string_view path, States& states) const {
  enter(states, 0);
  while (!path.empty()) {
    const std::string_view unit = path.substr(0, unit_length(path));
    path.remove_prefix(unit.size());
    const bool slash = unit == "/";
    States next;
    bool any = false;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states.test(i)) continue;
      const Op op = tokens_[i].op;
      if (op == Op::unit ? equal(tokens_[i].unit, unit, fold_case_) : op == Op::any_char && !slash) {
        enter(next, i + 1);
        any = true;
      } else if (op == Op::any_path || (op == Op::star && !slash)) {
        enter(next, i);
        any = true;
      } else if (op == Op::any_directories) {
        next.set(i);  // inside a name: what follows may only begin after a "/"
        if (slash) enter(next, i + 1);
        any = true;
      }
    }
    states = next;
    if (!any) return;
  }
}

bool Glob::matches(std::string_view path) const {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.size() < suffix_.size() || !equal(path.substr(path.size() - suffix_.size()), suffix_, fold_case_))
    return false;
  if (last_component_only_) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  }
  States states;
  run(path, states);
  return states.test(tokens_.size());
}

bool Glob::may_match_below(std::string_view path) const {
  if (last_component_only_) return true;
  std::string below(path.starts_with('/') ? path.substr(1) : path);
  if (!below.empty() && below.back() != '/') below += '/';
  States states;
  run(below, states);
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (states.test(i)) return true;
  }
  return false;
}

bool any_matches(const std::vector<Glob>& globs, std::string_view path) {
  return std::any_of(globs.begin(), globs.end(), [&](const Glob& glob) { return glob.matches(path); });
}

bool wildcard_matches(std::string_view pattern, std::string_view text) {
  // On a mismatch only the last "*" need take one byte more: earlier ones have found their first, hence best,
  // place.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace touchstone
