#include "rules/scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

const std::vector<std::string_view> kRoles = {"suspect", "complainant", "witness", "unknown"};

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

void read_role(TableReader& table, ScopeDefaults& out) {
  ScopeDefaults::RoleRule rule;
  if (const auto role = table.choice("role", kRequired, kRoles)) rule.role = static_cast<Role>(*role);
  const auto without = table.choice("without_scope", kRequired, {"whole", "refuse"});
  rule.refuse_without_scope = without == 1U;
  rule.why = table.text("why", kRequired);
  if (rule.role == Role::complainant && without == 0U) {
    table.error_at("without_scope", "a complainant's exhibit is never read without a scope");
  }
  const bool twice =
      std::any_of(out.roles.begin(), out.roles.end(), [&](const auto& r) { return r.role == rule.role; });
  if (twice) table.error_at("role", fmt::format("the role \"{}\" is there twice", to_text(rule.role)));
  out.roles.push_back(std::move(rule));
}

void read_exclusion(TableReader& table, ScopeDefaults& out, std::set<std::string>& ids) {
  ScopeDefaults::Exclusion exclusion;
  exclusion.id = table.identifier("id", kRequired);
  if (!exclusion.id.empty() && !ids.insert(exclusion.id).second) {
    table.error_at("id", fmt::format("\"{}\" is there twice", exclusion.id));
  }
  exclusion.why = table.text("why", kRequired);
  for (const std::size_t role : table.choices("roles", kRoles))
    exclusion.roles.push_back(static_cast<Role>(role));
  for (const std::string& path : table.texts("paths", kRequired)) {
    auto glob = Glob::compile_rule(path);
    if (glob) {
      exclusion.paths.push_back(glob.take());
    } else {
      table.error_at("paths", glob.error().message);
    }
  }
  out.exclusions.push_back(std::move(exclusion));
}

bool refuses(const ScopeDefaults& defaults, Role role) {
  if (role == Role::complainant) return true;
  return std::any_of(defaults.roles.begin(), defaults.roles.end(),
                     [&](const auto& rule) { return rule.role == role && rule.refuse_without_scope; });
}

Error refusal(std::string_view ref, Role role) {
  const std::string whose = ref.empty() ? std::string() : fmt::format("exhibit {}: ", ref);
  return {ErrorCode::invalid,
          fmt::format("{}the role \"{}\" needs an [exhibit.scope] with its authority in the case file", whose,
                      to_text(role))};
}

/// Whether an item may be one that an app keeps its rows in.
bool is_file_like(ItemKind kind) {
  return kind == ItemKind::file || kind == ItemKind::member || kind == ItemKind::stream ||
         kind == ItemKind::attachment;
}

}  // namespace

const char* to_text(ScopeDecision decision) {
  switch (decision) {
    case ScopeDecision::whole:
      return "whole";
    case ScopeDecision::rows:
      return "rows";
    case ScopeDecision::none:
      return "none";
  }
  return "";
}

Result<ScopeDefaults> parse_scope_defaults(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  ScopeDefaults out;
  std::set<std::string> ids;
  out.files.push_back(reader.read(RuleKind::scope, "touchstone.scope/1", true, [&](TableReader& root) {
    root.tables("role", kOptional, kRoles.size(), [&](TableReader& table) { read_role(table, out); });
    root.tables("exclude", kOptional, 10'000, [&](TableReader& table) { read_exclusion(table, out, ids); });
  }));
  if (!reader.ok()) return reader.failure();
  return out;
}

Result<ScopeDefaults> load_scope_defaults(const std::string& root) {
  auto paths = find_rule_files(root, RuleKind::scope);
  if (!paths) return paths.error();
  ScopeDefaults all;
  for (const std::string& path : *paths) {
    auto text = read_rule_file(path);
    if (!text) return text.error();
    auto one = parse_scope_defaults(*text, path);
    if (!one) return one.error();
    for (const auto& rule : one->roles) {
      const auto same = [&](const auto& other) { return other.role == rule.role; };
      if (std::any_of(all.roles.begin(), all.roles.end(), same)) {
        return Error{
            ErrorCode::invalid,
            fmt::format("{}: another file already has a rule for the role \"{}\"", path, to_text(rule.role))};
      }
    }
    all.files.insert(all.files.end(), one->files.begin(), one->files.end());
    all.roles.insert(all.roles.end(), one->roles.begin(), one->roles.end());
    all.exclusions.insert(all.exclusions.end(), one->exclusions.begin(), one->exclusions.end());
  }
  return all;
}

Result<ScopeRules> ScopeRules::make(const CaseFile* case_file, const CaseExhibit* exhibit, Role role,
                                    const ScopeDefaults& defaults) {
  ScopeRules rules;
  rules.role_ = role;
  for (const auto& exclusion : defaults.exclusions) {
    const bool ours = exclusion.roles.empty() || std::find(exclusion.roles.begin(), exclusion.roles.end(),
                                                           role) != exclusion.roles.end();
    if (ours) rules.exclusions_.push_back(exclusion);
  }
  if (!exhibit || !exhibit->scope) {
    if (refuses(defaults, role)) return refusal(exhibit ? exhibit->ref : "", role);
    return rules;
  }
  rules.scope_ = exhibit->scope;
  for (const std::string& path : exhibit->scope->paths) {
    auto glob = Glob::compile(path);
    if (!glob)
      return Error{ErrorCode::invalid, fmt::format("exhibit {}: {}", exhibit->ref, glob.error().message)};
    rules.paths_.push_back(glob.take());
  }
  for (const std::string& id : exhibit->scope->parties) {
    const CasePerson* person = case_file ? case_file->person(id) : nullptr;
    if (!person) {
      return Error{ErrorCode::invalid,
                   fmt::format("exhibit {}: its scope names the unknown person \"{}\"", exhibit->ref, id)};
    }
    rules.party_identifiers_.insert(rules.party_identifiers_.end(), person->identifiers.begin(),
                                    person->identifiers.end());
  }
  std::sort(rules.party_identifiers_.begin(), rules.party_identifiers_.end());
  return rules;
}

ScopeVerdict ScopeRules::decide(const ScopeItem& item) const {
  for (const auto& exclusion : exclusions_) {
    if (any_matches(exclusion.paths, item.path)) return {ScopeDecision::none, "exclude:" + exclusion.id};
  }
  if (!scope_) return {ScopeDecision::whole, fmt::format("role:{}", to_text(role_))};
  if (item.kind == ItemKind::carved || item.kind == ItemKind::slack || item.kind == ItemKind::unallocated) {
    return {grants("carving") ? ScopeDecision::whole : ScopeDecision::none, "scope:carving"};
  }
  for (const Glob& glob : paths_) {
    if (!glob.matches(item.path)) continue;
    // A directory's time says nothing of what is in it.
    const bool timed = (scope_->from || scope_->to) && item.kind != ItemKind::directory;
    const bool inside = item.modified && (!scope_->from || *item.modified >= *scope_->from) &&
                        (!scope_->to || *item.modified <= *scope_->to);
    if (timed && !inside) return {ScopeDecision::none, "scope:time"};
    return {ScopeDecision::whole, "scope:path:" + glob.pattern()};
  }
  if (is_file_like(item.kind)) {
    for (const std::string& app : item.apps) {
      if (contains(scope_->apps, app)) return {ScopeDecision::rows, "scope:app:" + app};
    }
  }
  return {ScopeDecision::none, "scope"};
}

bool ScopeRules::may_descend(std::string_view path, std::span<const Glob> app_globs) const {
  for (const auto& exclusion : exclusions_) {
    if (any_matches(exclusion.paths, path)) return false;
  }
  if (!scope_) return true;
  const auto below = [&](const Glob& glob) { return glob.may_match_below(path); };
  return std::any_of(paths_.begin(), paths_.end(), below) ||
         std::any_of(app_globs.begin(), app_globs.end(), below);
}

bool ScopeRules::passes(const ScopeRecord& record) const {
  if (!scope_) return true;
  if (!scope_->kinds.empty() && !contains(scope_->kinds, record.kind)) return false;
  if (!scope_->apps.empty() && !record.app.empty() && !contains(scope_->apps, record.app)) return false;
  // An appointment with others is theirs as well.
  const bool is_meeting = record.kind == "event" && !record.parties.empty();
  const bool has_parties =
      record.kind == "message" || record.kind == "call" || record.kind == "contact" || is_meeting;
  const bool has_time = record.kind != "contact" && record.kind != "account";
  // Where the owner went or browsed, and what they planned and noted down, concerns no party: only what was
  // agreed by name.
  if ((!has_parties || is_meeting) && record.kind != "attachment" && scope_->kinds.empty()) return false;
  if (has_time && scope_->from && (!record.time || *record.time < *scope_->from)) return false;
  if (has_time && scope_->to && (!record.time || *record.time > *scope_->to)) return false;
  if (!has_parties || scope_->parties.empty()) return true;
  return std::any_of(record.parties.begin(), record.parties.end(), [&](std::string_view party) {
    const std::string plain = normalise_identifier(party);
    if (plain.empty()) return false;
    const auto has = [&](const std::string& text) {
      return std::binary_search(party_identifiers_.begin(), party_identifiers_.end(), text);
    };
    return has(plain) || (!record.app.empty() && has(fmt::format("{}:{}", record.app, plain)));
  });
}

bool ScopeRules::grants(std::string_view what) const {
  return !scope_ || contains(scope_->grant, what);
}

bool ScopeRules::grants_attachments() const {
  return !scope_ || scope_->kinds.empty() || contains(scope_->kinds, "attachment");
}

const std::string& ScopeRules::authority() const {
  static const std::string none;
  return scope_ ? scope_->authority : none;
}

Status check_exhibits(const CaseFile& case_file, const ScopeDefaults& defaults,
                      const std::vector<std::string>* app_ids) {
  for (const CaseExhibit& exhibit : case_file.exhibits) {
    const auto rules = ScopeRules::make(&case_file, &exhibit, exhibit.role, defaults);
    if (!rules)
      return Error{ErrorCode::invalid, fmt::format("{}: {}", case_file.info.path, rules.error().message)};
    if (!app_ids || !exhibit.scope) continue;
    for (const std::string& app : exhibit.scope->apps) {
      if (contains(*app_ids, app)) continue;
      const std::string near = nearest_word(app, {app_ids->begin(), app_ids->end()});
      return Error{
          ErrorCode::invalid,
          fmt::format("{}: exhibit {}: its scope names the unknown app \"{}\"{}", case_file.info.path,
                      exhibit.ref, app, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))};
    }
  }
  return {};
}

}  // namespace touchstone
