#include "rules/case_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "content/functions/phone_number.hpp"
#include "filesystem/time_zone.hpp"
#include "rules/glob.hpp"
#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMaxEntries = 10'000;  // of any kind in one case file
const std::vector<std::string_view> kPersonRoles = {"suspect", "complainant", "witness", "professional",
                                                    "other"};
const std::vector<std::string_view> kExhibitRoles = {"suspect", "complainant", "witness", "unknown"};
const std::vector<std::string_view> kIssueKinds = {"identity", "presence", "act",
                                                   "timing",   "account",  "other"};
const std::vector<std::string_view> kScopeKinds = {"message",  "attachment", "call",  "contact", "account",
                                                   "location", "visit",      "event", "note"};
const std::vector<std::string_view> kGrants = {"recovery", "carving",  "explicit", "faces",
                                               "previews", "keywords", "index"};

/// Reads a case file whose time zone is known before its windows are read.
class CaseReader {
 public:
  explicit CaseReader(CaseFile& out) : case_(out) {}

  void read(TableReader& root) {
    case_.reference = root.text("reference", kRequired, 200);
    case_.title = root.text("title", kOptional, 200);
    const std::string zone_name = root.text("time_zone", kOptional, 64);
    if (!zone_name.empty()) case_.time_zone = zone_name;
    auto zone = TimeZone::load(case_.time_zone);
    if (zone) {
      zone_ = zone.take();
    } else {
      root.error_at("time_zone", zone.error().message);
    }
    country(root);
    root.table("ranking", [this](TableReader& table) {
      case_.score_complainant_words = table.boolean("complainant_words").value_or(false);
    });
    root.tables("window", kOptional, kMaxEntries, [this](TableReader& table) { window(table); });
    root.tables("place", kOptional, kMaxEntries, [this](TableReader& table) { place(table); });
    root.tables("person", kOptional, kMaxEntries, [this](TableReader& table) { person(table); });
    root.tables("issue", kOptional, kMaxEntries, [this](TableReader& table) { issue(table); });
    root.tables("exhibit", kOptional, kMaxEntries, [this](TableReader& table) { exhibit(table); });
  }

 private:
  void country(TableReader& root) {
    const std::string name = root.text("country", kOptional, 64);
    if (name.empty()) return;
    if (!functions::is_country(name))
      return root.error_at(
          "country",
          fmt::format("\"{}\" is no country of ISO 3166 in two capital letters, such as GB", name));
    case_.country = name;
  }

  std::optional<TimeUs> time(TableReader& table, std::string_view key, bool required) {
    const auto when = table.time(key, required);
    if (!when) return std::nullopt;
    if (when->local_s < -62'135'596'800 || when->local_s > 253'402'300'799) {
      table.error_at(key, "the year must be from 1 to 9999");
      return std::nullopt;
    }
    if (when->offset_minutes) {
      return (when->local_s - std::int64_t{60} * *when->offset_minutes) * 1'000'000 + when->microseconds;
    }
    if (!zone_) return std::nullopt;  // already an error
    return zone_->to_utc(when->local_s) * 1'000'000 + when->microseconds;
  }

  void order(TableReader& table, std::optional<TimeUs> from, std::optional<TimeUs> to) {
    if (from && to && *to < *from) table.error_at("to", "\"to\" lies before \"from\"");
  }

  void window(TableReader& table) {
    CaseWindow window;
    window.title = table.text("title", kOptional, 200);
    const auto from = time(table, "from", kRequired), to = time(table, "to", kRequired);
    order(table, from, to);
    window.from = from.value_or(0);
    window.to = to.value_or(0);
    if (window.title.empty()) window.title = fmt::format("window {}", case_.windows.size() + 1);
    case_.windows.push_back(std::move(window));
  }

  void place(TableReader& table) {
    CasePlace place;
    place.title = table.text("title", kOptional, 200);
    place.latitude = table.number("latitude", kRequired, -90, 90).value_or(0);
    place.longitude = table.number("longitude", kRequired, -180, 180).value_or(0);
    place.radius_m = table.number("radius_m", kOptional, 1, 1'000'000).value_or(place.radius_m);
    if (place.title.empty()) place.title = fmt::format("place {}", case_.places.size() + 1);
    case_.places.push_back(std::move(place));
  }

  void person(TableReader& table) {
    CasePerson person;
    person.id = unique(table, "id", table.identifier("id", kRequired), persons_);
    if (const auto role = table.choice("role", kRequired, kPersonRoles))
      person.role = static_cast<PersonRole>(*role);
    person.names = table.texts("names", kOptional, 100, 200);
    person.phones = table.texts("phones", kOptional, 100, 64);
    person.emails = table.texts("emails", kOptional, 100, 254);
    person.handles = table.texts("handles", kOptional, 100, 200);
    for (const auto* list : {&person.phones, &person.emails, &person.handles}) {
      for (const std::string& text : *list) {
        std::string identifier = normalise_identifier(text);
        const auto [at, fresh] = owners_.emplace(identifier, person.id);
        if (!fresh && at->second != person.id) {
          table.error(fmt::format("\"{}\" already belongs to the person \"{}\"", text, at->second));
        }
        person.identifiers.push_back(std::move(identifier));
      }
    }
    std::sort(person.identifiers.begin(), person.identifiers.end());
    case_.persons.push_back(std::move(person));
  }

  void issue(TableReader& table) {
    CaseIssue issue;
    issue.id = unique(table, "id", table.identifier("id", kRequired), issues_);
    issue.question = table.text("question", kOptional, 1000);
    const auto kind = table.choice("kind", kOptional, kIssueKinds);
    const auto by_name = std::find(kIssueKinds.begin(), kIssueKinds.end(), issue.id);
    if (kind) {
      issue.kind = static_cast<IssueKind>(*kind);
    } else if (by_name != kIssueKinds.end()) {
      issue.kind = static_cast<IssueKind>(by_name - kIssueKinds.begin());
    }
    case_.issues.push_back(std::move(issue));
  }

  void exhibit(TableReader& table) {
    CaseExhibit exhibit;
    exhibit.ref = unique(table, "ref", table.text("ref", kRequired, 64), exhibits_);
    if (exhibit.ref.find(':') != std::string::npos) table.error_at("ref", "a reference cannot hold \":\"");
    exhibit.path = table.text("path", kRequired, 4096);
    if (const auto role = table.choice("role", kOptional, kExhibitRoles))
      exhibit.role = static_cast<Role>(*role);
    exhibit.owner = table.text("owner", kOptional, 64);
    known_person(table, "owner", exhibit.owner);
    exhibit.time_zone = table.text("time_zone", kOptional, 64);
    if (!exhibit.time_zone.empty()) {
      const auto zone = TimeZone::load(exhibit.time_zone);
      if (!zone) table.error_at("time_zone", zone.error().message);
    }
    table.table("scope", [&](TableReader& inner) { exhibit.scope = scope(inner); });
    case_.exhibits.push_back(std::move(exhibit));
  }

  CaseScope scope(TableReader& table) {
    CaseScope scope;
    scope.authority = table.text("authority", kRequired, 1000);
    scope.apps = table.texts("apps", kOptional, 200, 64);
    scope.parties = table.texts("parties", kOptional, 1000, 64);
    for (const std::string& id : scope.parties) known_person(table, "parties", id);
    std::vector<SourcePlace> places;
    scope.paths = table.texts("paths", kOptional, 1000, 1000, &places);
    for (const std::string& path : scope.paths) {
      if (const auto glob = Glob::compile(path); !glob) table.error_at("paths", glob.error().message);
    }
    scope.from = time(table, "from", kOptional);
    scope.to = time(table, "to", kOptional);
    order(table, scope.from, scope.to);
    for (const std::size_t i : table.choices("kinds", kScopeKinds)) scope.kinds.emplace_back(kScopeKinds[i]);
    for (const std::size_t i : table.choices("grant", kGrants)) scope.grant.emplace_back(kGrants[i]);
    if (scope.apps.empty() && scope.paths.empty()) {
      table.error("a scope without \"apps\" and \"paths\" lets nothing be read");
    }
    return scope;
  }

  std::string unique(TableReader& table, std::string_view key, std::string value,
                     std::set<std::string>& seen) {
    if (!value.empty() && !seen.insert(value).second) {
      table.error_at(key, fmt::format("\"{}\" is there twice", value));
    }
    return value;
  }

  // Persons stand before exhibits in reading order, whatever the order in the file.
  void known_person(TableReader& table, std::string_view key, const std::string& id) {
    if (id.empty() || persons_.count(id)) return;
    const std::vector<std::string_view> ids(persons_.begin(), persons_.end());
    const std::string near = nearest_word(id, ids);
    table.error_at(key, fmt::format("no [[person]] has the id \"{}\"{}", id,
                                    near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }

  CaseFile& case_;
  std::optional<TimeZone> zone_;
  std::set<std::string> persons_, issues_, exhibits_;
  std::map<std::string, std::string> owners_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// The digits of a telephone number, or nothing if the text is none.
std::optional<std::string> phone_digits(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (std::string_view(" -().").find(c) == std::string_view::npos && !(c == '+' && i == 0)) {
      return std::nullopt;
    }
  }
  if (digits.size() < 3) return std::nullopt;
  if (text[0] == '+') {
    // "+44 (0)7700 900123" is how many write it.
    const bool trunk_zero = digits.starts_with("440") && digits.size() == 13;
    return trunk_zero ? "44" + digits.substr(3) : digits;
  }
  if (digits.starts_with("00")) return digits.substr(2);
  if (digits[0] == '0' && (digits.size() == 10 || digits.size() == 11)) return "44" + digits.substr(1);
  return digits;
}

}  // namespace

const char* to_text(PersonRole role) {
  return kPersonRoles[static_cast<std::size_t>(role)].data();
}
const char* to_text(IssueKind kind) {
  return kIssueKinds[static_cast<std::size_t>(kind)].data();
}

const CasePerson* CaseFile::person(std::string_view id) const {
  const auto at =
      std::find_if(persons.begin(), persons.end(), [&](const CasePerson& p) { return p.id == id; });
  return at == persons.end() ? nullptr : &*at;
}

const CasePerson* CaseFile::person_by_identifier(std::string_view identifier, std::string_view app) const {
  const std::string plain = normalise_identifier(identifier);
  if (plain.empty()) return nullptr;
  const std::string with_app = app.empty() ? std::string() : lower(app) + ":" + plain;
  for (const CasePerson& person : persons) {
    const auto has = [&](const std::string& text) {
      return std::binary_search(person.identifiers.begin(), person.identifiers.end(), text);
    };
    if (has(plain) || (!with_app.empty() && has(with_app))) return &person;
  }
  return nullptr;
}

const CaseExhibit* CaseFile::exhibit(std::string_view ref) const {
  const auto at =
      std::find_if(exhibits.begin(), exhibits.end(), [&](const CaseExhibit& e) { return e.ref == ref; });
  return at == exhibits.end() ? nullptr : &*at;
}

bool CaseFile::has_issue(IssueKind kind) const {
  return std::any_of(issues.begin(), issues.end(),
                     [&](const CaseIssue& issue) { return issue.kind == kind; });
}

Result<CaseFile> parse_case_file(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  CaseFile out;
  CaseReader fields(out);
  out.info = reader.read(RuleKind::case_file, "touchstone.case/1", false,
                         [&](TableReader& root) { fields.read(root); });
  if (!reader.ok()) return reader.failure();
  out.info.id = out.reference;
  out.info.version = "1";
  out.info.title = out.title;
  return out;
}

Result<CaseFile> load_case_file(const std::string& path) {
  auto text = read_rule_file(path);
  if (!text) return text.error();
  auto out = parse_case_file(*text, path);
  if (!out) return out;
  std::error_code code;
  const std::filesystem::path folder = std::filesystem::absolute(path, code).parent_path();
  for (CaseExhibit& exhibit : out->exhibits)
    exhibit.path = (folder / exhibit.path).lexically_normal().string();
  return out;
}

std::string normalise_identifier(std::string_view identifier) {
  while (!identifier.empty() && identifier.front() == ' ') identifier.remove_prefix(1);
  while (!identifier.empty() && identifier.back() == ' ') identifier.remove_suffix(1);
  for (const std::string_view scheme : {"tel:", "sms:", "mailto:"}) {
    if (identifier.starts_with(scheme)) identifier.remove_prefix(scheme.size());
  }
  for (const std::string_view domain : {"@s.whatsapp.net", "@c.us"}) {
    if (identifier.ends_with(domain)) identifier.remove_suffix(domain.size());
  }
  if (identifier.empty()) return {};
  if (const auto phone = phone_digits(identifier)) return *phone;
  if (identifier.front() == '@') identifier.remove_prefix(1);
  return lower(identifier);
}

}  // namespace touchstone
