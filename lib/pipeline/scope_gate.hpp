// The one gate that decides what may be read and what may leave a worker. Everything that names an item
// passes decide(), every row passes passes(). Immutable after make(); one per exhibit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/types.hpp"
#include "rules/app_definition.hpp"
#include "rules/scope.hpp"

namespace touchstone {

class ScopeGate {
 public:
  static Result<ScopeGate> make(const CaseFile* case_file, const std::string& ref, Role role,
                                const std::string& rules_dir,
                                std::shared_ptr<const std::vector<AppDefinition>> apps);
  ScopeVerdict decide(std::string_view path, std::optional<TimeUs> modified, ItemKind kind) const;
  /// Whether a directory outside the scope may lead to something inside it.
  bool may_descend(std::string_view path) const;
  bool passes(const Record& record) const;
  bool limited() const { return rules_.limited(); }
  bool grants(std::string_view what) const { return rules_.grants(what); }

 private:
  ScopeGate(ScopeRules rules, std::shared_ptr<const std::vector<AppDefinition>> apps)
      : rules_(std::move(rules)), apps_(std::move(apps)) {}
  ScopeRules rules_;
  std::shared_ptr<const std::vector<AppDefinition>> apps_;
  std::vector<Glob> app_globs_;
};

}  // namespace touchstone
