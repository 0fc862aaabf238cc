#include "rules/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "rules/app_definition.hpp"
#include "rules/keyword_pack.hpp"
#include "rules/order_rules.hpp"
#include "rules/ranking_rules.hpp"
#include "rules/scope.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

void add_errors(RuleCheck& out, std::string_view message) {
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    out.errors.emplace_back(message.substr(0, end));
    message.remove_prefix(std::min(end + 1, message.size()));
  }
}

/// Takes over identity and size of a file that could be read.
template <typename T, typename Count>
void take(RuleCheck& out, const Result<T>& result, const RuleFileInfo& (*info)(const T&), Count count) {
  if (!result) return add_errors(out, result.error().message);
  out.info = info(*result);
  out.entries = count(*result);
}

RuleCheck check_file(const std::string& path, RuleKind kind) {
  RuleCheck out;
  out.info.path = path;
  out.info.kind = kind;
  const auto text = read_rule_file(path);
  if (!text) {
    add_errors(out, text.error().message);
    return out;
  }
  out.info.sha256 = sha256_hex(*text);
  if (kind == RuleKind::keywords) {
    const auto pack = parse_keyword_pack(*text, path);
    take<KeywordPack>(
        out, pack, [](const KeywordPack& p) -> const RuleFileInfo& { return p.info; },
        [](const KeywordPack& p) { return p.terms.size(); });
    if (!pack) return out;
    if (const Status examples = check_keyword_examples(*pack); !examples)
      add_errors(out, examples.error().message);
  } else if (kind == RuleKind::apps) {
    const auto app = parse_app_definition(*text, path);
    const auto queries = [](const AppDefinition& a) {
      std::size_t n = 0;
      for (const AppSource& source : a.sources) {
        for (const AppVersion& version : source.versions) n += version.queries.size();
      }
      return n;
    };
    take<AppDefinition>(
        out, app, [](const AppDefinition& a) -> const RuleFileInfo& { return a.info; }, queries);
    if (!app) return out;
    if (const Status checked = check_app_queries(*app); !checked) add_errors(out, checked.error().message);
  } else if (kind == RuleKind::order) {
    take<OrderRules>(
        out, parse_order_rules(*text, path),
        [](const OrderRules& r) -> const RuleFileInfo& { return r.files().front(); },
        [](const OrderRules& r) { return r.rules().size(); });
  } else if (kind == RuleKind::ranking) {
    take<RankingRules>(
        out, parse_ranking_rules(*text, path),
        [](const RankingRules& r) -> const RuleFileInfo& { return r.files.front(); },
        [](const RankingRules& r) { return r.rules.size(); });
  } else {
    take<ScopeDefaults>(
        out, parse_scope_defaults(*text, path),
        [](const ScopeDefaults& s) -> const RuleFileInfo& { return s.files.front(); },
        [](const ScopeDefaults& s) { return s.roles.size() + s.exclusions.size(); });
  }
  return out;
}

/// What is only wrong between files: reading a folder as a whole tells.
Status check_together(const std::string& root, RuleKind kind) {
  if (kind == RuleKind::order) {
    if (const auto all = load_order_rules(root); !all) return all.error();
  } else if (kind == RuleKind::ranking) {
    if (const auto all = load_ranking_rules(root); !all) return all.error();
  } else if (kind == RuleKind::scope) {
    if (const auto all = load_scope_defaults(root); !all) return all.error();
  }
  return {};
}

void check_unique_ids(std::vector<RuleCheck>& checks) {
  std::map<std::pair<RuleKind, std::string>, std::string> ids;
  for (RuleCheck& check : checks) {
    if (check.info.id.empty()) continue;
    const auto [at, fresh] = ids.emplace(std::pair(check.info.kind, check.info.id), check.info.path);
    if (!fresh) {
      check.errors.push_back(
          fmt::format("{}: the id \"{}\" is also that of {}", check.info.path, check.info.id, at->second));
    }
  }
}

void check_strays(const std::string& root, std::vector<RuleCheck>& checks) {
  std::error_code code;
  std::vector<std::string> names;
  for (fs::directory_iterator at(root, code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename().string();
    if (name.empty() || name[0] == '.' || name == "patterns") continue;
    bool known = false;
    for (const RuleKind kind :
         {RuleKind::keywords, RuleKind::order, RuleKind::ranking, RuleKind::apps, RuleKind::scope}) {
      known = known || name == to_text(kind);
    }
    const bool stray = at->is_directory() ? !known : at->path().extension() == ".toml";
    if (stray) names.push_back(at->path().string());
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    RuleCheck check;
    check.info.path = name;
    check.errors.push_back(
        fmt::format("{}: lies in no folder that is read (apps keywords order ranking scope)", name));
    checks.push_back(std::move(check));
  }
  if (code) {
    RuleCheck check;
    check.info.path = root;
    check.errors.push_back(fmt::format("{}: {}", root, code.message()));
    checks.push_back(std::move(check));
  }
}

/// A file on its own: its `schema` says what it is.
RuleCheck check_one(const std::string& path) {
  RuleCheck out;
  out.info.path = path;
  const auto text = read_rule_file(path);
  if (!text) {
    add_errors(out, text.error().message);
    return out;
  }
  for (const RuleKind kind :
       {RuleKind::keywords, RuleKind::order, RuleKind::ranking, RuleKind::apps, RuleKind::scope}) {
    const std::string_view name = kind == RuleKind::apps ? "app" : to_text(kind);
    if (text->find(fmt::format("\"touchstone.{}/", name)) != std::string::npos) return check_file(path, kind);
  }
  out.errors.push_back(fmt::format(
      "{}: no schema of a rule file: schema = \"touchstone.keywords/1\" (or app, order, ranking, scope)",
      path));
  return out;
}

}  // namespace

std::vector<RuleCheck> check_rules(const std::string& root) {
  std::vector<RuleCheck> checks;
  if (std::error_code code; fs::is_regular_file(root, code)) return {check_one(root)};
  for (const RuleKind kind :
       {RuleKind::keywords, RuleKind::order, RuleKind::ranking, RuleKind::apps, RuleKind::scope}) {
    const auto paths = find_rule_files(root, kind);
    if (!paths) {
      RuleCheck check;
      check.info.path = fmt::format("{}/{}", root, to_text(kind));
      check.info.kind = kind;
      add_errors(check, paths.error().message);
      checks.push_back(std::move(check));
      continue;
    }
    const std::size_t first = checks.size();
    for (const std::string& path : *paths) checks.push_back(check_file(path, kind));
    const bool sound = std::all_of(checks.begin() + static_cast<std::ptrdiff_t>(first), checks.end(),
                                   [](const RuleCheck& check) { return check.ok(); });
    if (!sound || paths->empty()) continue;
    if (const Status together = check_together(root, kind); !together) {
      add_errors(checks.back(), together.error().message);
    }
  }
  check_unique_ids(checks);
  check_strays(root, checks);
  return checks;
}

}  // namespace touchstone
