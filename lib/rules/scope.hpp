// What may be read of an exhibit at all. One ScopeRules belongs to one exhibit and is made from the case file
// and rules/scope; its functions are pure, so that the gate gives the same answer anywhere. Immutable; may be
// shared.
//
//   whole  all plugins may look, the row is stored
//   rows   only the app definition runs, only rows that passes() lets through leave the worker
//   none   no row, name, hash or locator is stored: only a count under the verdict's rule
//
// An exhibit without a scope is `whole`, but for roles whose rules say `refuse` (complainant). With a scope
// all is `none` but what an app in it matches (`rows`) and what its paths match (`whole`, if the modification
// time lies within from/to; an item without a time does not pass a scope that has them).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.hpp"
#include "rules/case_file.hpp"
#include "rules/glob.hpp"

namespace touchstone {

/// rules/scope/*.toml (touchstone.scope/1).
struct ScopeDefaults {
  struct RoleRule {
    Role role = Role::unknown;
    bool refuse_without_scope = false;
    std::string why;
  };
  struct Exclusion {  ///< a lab's own: never read, whatever the scope says
    std::string id, why;
    std::vector<Role> roles;  ///< empty: any
    std::vector<Glob> paths;
  };
  std::vector<RuleFileInfo> files;
  std::vector<RoleRule> roles;  ///< at most one a role
  std::vector<Exclusion> exclusions;
};
Result<ScopeDefaults> parse_scope_defaults(std::string_view text, const std::string& name);
/// All files of `root`/scope as one. Without any, complainant is refused all the same.
Result<ScopeDefaults> load_scope_defaults(const std::string& root);

enum class ScopeDecision { whole, rows, none };
const char* to_text(ScopeDecision decision);

struct ScopeVerdict {
  ScopeDecision decision = ScopeDecision::none;
  std::string
      rule;  ///< e.g. "role:suspect", "scope:path:/data/media/0/DCIM/**", "scope:app:whatsapp", "scope:time"
};

/// What is known of an item before anything of it is read.
struct ScopeItem {
  std::string_view path;  ///< as Item::path
  std::optional<TimeUs> modified;
  ItemKind kind = ItemKind::file;
  std::span<const std::string> apps;  ///< ids of the app definitions one of whose globs matches the path
};

/// What passes() looks at. Views of the caller's text.
struct ScopeRecord {
  std::string_view kind;  ///< message call contact …
  std::string_view app;
  std::optional<TimeUs> time;             ///< sent, started, taken, visited
  std::vector<std::string_view> parties;  ///< sender, recipients, call party, identifiers, conversation
};

class ScopeRules {
 public:
  /// `exhibit` may be null (no case file): then the role alone decides. Fails where check_exhibits() would.
  static Result<ScopeRules> make(const CaseFile* case_file, const CaseExhibit* exhibit, Role role,
                                 const ScopeDefaults& defaults);
  ScopeVerdict decide(const ScopeItem& item) const;
  /// Whether a directory need be listed: something below it could be in scope by path, or by one of
  /// `app_globs`.
  bool may_descend(std::string_view path, std::span<const Glob> app_globs) const;
  /// For `rows`: whether this row may leave the worker. A row without a time fails a scope with from or to; a
  /// row none of whose parties is in the scope's parties fails.
  bool passes(const ScopeRecord& record) const;
  /// recovery, carving, explicit, faces, previews, keywords, index: always granted without a scope.
  bool grants(std::string_view what) const;
  /// Whether the bytes of an attachment of a row that passed may be read whole.
  bool grants_attachments() const;
  bool limited() const { return scope_.has_value(); }
  const std::string& authority() const;

 private:
  Role role_ = Role::unknown;
  std::optional<CaseScope> scope_;
  std::vector<Glob> paths_;
  std::vector<std::string> party_identifiers_;  ///< sorted
  std::vector<ScopeDefaults::Exclusion> exclusions_;
};

/// Refuses an exhibit whose role needs a scope and has none, and scopes that name unknown persons or (where
/// `app_ids` is given) unknown apps.
Status check_exhibits(const CaseFile& case_file, const ScopeDefaults& defaults,
                      const std::vector<std::string>* app_ids = nullptr);

}  // namespace touchstone
