// case.toml: what a person says about the case (docs/rules.md). All but `schema` and `reference` may be left
// out. Local times become UTC by the case's time zone when the file is read. Plain values; no thread rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/types.hpp"
#include "rules/rule_file.hpp"

namespace touchstone {

enum class PersonRole { suspect, complainant, witness, professional, other };
const char* to_text(PersonRole role);

/// When it is alleged to have happened, or a stretch of time that matters.
struct CaseWindow {
  std::string title;
  TimeUs from = 0, to = 0;  ///< from <= to, both inside
};

struct CasePlace {
  std::string title;
  double latitude = 0, longitude = 0;
  double radius_m = 100;
};

struct CasePerson {
  std::string id;  ///< unique in the file, e.g. "S1"
  PersonRole role = PersonRole::other;
  std::vector<std::string> names, phones, emails;
  std::vector<std::string> handles;  ///< "service:name", or a bare name that holds for any service
  /// Normalised (normalise_identifier) phones, e-mails and handles, sorted: what records are compared with.
  std::vector<std::string> identifiers;
};

/// What an issue is about; `away` rules name the kind they bear on.
enum class IssueKind { identity, presence, act, timing, account, other };
const char* to_text(IssueKind kind);
struct CaseIssue {
  std::string id, question;
  IssueKind kind = IssueKind::other;  ///< key `kind`; without it, the id where that is one of the names
};

/// What was agreed to be read of an exhibit. See scope.hpp for what it means.
struct CaseScope {
  std::string authority;             ///< required: by what power or agreement
  std::vector<std::string> apps;     ///< ids of rules/apps
  std::vector<std::string> parties;  ///< ids of persons; empty: any party
  std::vector<std::string> paths;    ///< globs that are granted whole
  std::optional<TimeUs> from, to;
  std::vector<std::string> kinds;  ///< kinds of record; empty: any that the app definition yields
  std::vector<std::string> grant;  ///< recovery carving explicit faces previews keywords index
};

struct CaseExhibit {
  std::string ref;
  std::string path;  ///< made absolute against the case file's folder by load_case_file()
  Role role = Role::unknown;
  std::string owner;      ///< id of a person, or empty
  std::string time_zone;  ///< of the device; empty: the case's
  std::optional<CaseScope> scope;
};

struct CaseFile {
  RuleFileInfo info;
  std::string reference, title;
  std::string time_zone = "Europe/London";
  std::string country = "GB";  ///< ISO 3166 alpha-2: of telephone numbers that are written without one
  bool score_complainant_words =
      false;  ///< keyword points also for what a complainant wrote (default: never)
  std::vector<CaseWindow> windows;
  std::vector<CasePlace> places;
  std::vector<CasePerson> persons;
  std::vector<CaseIssue> issues;
  std::vector<CaseExhibit> exhibits;

  const CasePerson* person(std::string_view id) const;
  /// The person with this phone number, e-mail address or handle (app: service of the handle, may be empty).
  const CasePerson* person_by_identifier(std::string_view identifier, std::string_view app = {}) const;
  const CaseExhibit* exhibit(std::string_view ref) const;
  bool has_issue(IssueKind kind) const;
};

/// `name` stands in error messages; exhibit paths stay as written.
Result<CaseFile> parse_case_file(std::string_view text, const std::string& name);
Result<CaseFile> load_case_file(const std::string& path);

/// Phone numbers, addresses and handles in the one form in which they are compared: "447700900123" for
/// "+44 7700 900123", "07700 900123", "0044…" and "447700900123@s.whatsapp.net" (a national number is taken
/// as British); e-mail addresses and handles in lower case, handles without a leading "@".
std::string normalise_identifier(std::string_view identifier);

}  // namespace touchstone
