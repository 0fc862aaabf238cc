#include "rules/app_definition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "rules/sql_text.hpp"
#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kMaxSql = 64U << 10U;
constexpr std::size_t kMaxVersions = 100;

const std::vector<std::pair<std::string_view, std::vector<std::string_view>>>& columns_by_kind() {
  static const std::vector<std::pair<std::string_view, std::vector<std::string_view>>> table = {
      {"message",
       {"app", "account", "conversation", "sent", "sent_local", "received", "time_basis", "direction",
        "sender", "recipients", "body", "status", "deleted", "edited", "source_table", "source_row",
        "attachment_path", "attachment_name", "attachment_media_type"}},
      {"attachment",
       {"source_row", "message_row", "message_table", "ordinal", "name", "media_type", "path",
        "source_table"}},
      {"call",
       {"app", "account", "started", "time_basis", "duration_s", "direction", "party", "status", "deleted",
        "source_table", "source_row"}},
      {"contact", {"app", "name", "identifiers", "source_table", "source_row"}},
      {"account", {"app", "identifier", "name", "source_table", "source_row"}},
      {"location",
       {"taken", "time_basis", "latitude", "longitude", "accuracy_m", "source", "source_table",
        "source_row"}},
      {"visit", {"app", "visited", "time_basis", "url", "title", "kind", "source_table", "source_row"}},
      {"event", {"app",        "account", "calendar",   "title",  "starts",    "starts_local", "ends",
                 "ends_local", "all_day", "time_basis", "place",  "organiser", "participants", "notes",
                 "repeats",    "created", "modified",   "status", "deleted",   "source_table", "source_row"}},
      {"note",
       {"app", "account", "folder", "title", "body", "created", "modified", "time_basis", "locked", "status",
        "deleted", "source_table", "source_row"}},
  };
  return table;
}

bool is_column_name(std::string_view text) {
  return !text.empty() && text.find('\0') == std::string_view::npos && text.size() <= 128;
}

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

class AppReader {
 public:
  explicit AppReader(AppDefinition& out) : app_(out) {}

  void read(TableReader& root) {
    root.text("note", kOptional, 4000);
    root.tables("source", kRequired, kMaxVersions, [this](TableReader& table) { source(table); });
  }

 private:
  void source(TableReader& table) {
    AppSource source;
    source.id = table.identifier("id", kOptional);
    if (source.id.empty()) source.id = fmt::format("source{}", app_.sources.size() + 1);
    if (!source_ids_.insert(source.id).second)
      table.error_at("id", fmt::format("the source \"{}\" is there twice", source.id));
    for (const std::string& path : table.texts("paths", kRequired, 200)) {
      auto glob = Glob::compile_rule(path);
      if (glob) {
        source.paths.push_back(glob.take());
      } else {
        table.error_at("paths", glob.error().message);
      }
    }
    table.choice("format", kOptional, {"sqlite"});
    source.format = "sqlite";
    source.encrypted = table.text("encrypted", kOptional, 500);
    std::set<std::string> names;
    table.tables("version", kRequired, kMaxVersions, [&](TableReader& inner) {
      AppVersion one = version(inner);
      if (!one.name.empty() && !names.insert(one.name).second) {
        inner.error_at("name", fmt::format("the version \"{}\" is there twice", one.name));
      }
      source.versions.push_back(std::move(one));
    });
    app_.sources.push_back(std::move(source));
  }

  AppVersion version(TableReader& table) {
    AppVersion out;
    out.place = table.place();
    out.name = table.text("name", kRequired, 200);
    out.tested = table.texts("tested", kOptional, 100, 500);
    out.absent = table.texts("absent", kOptional, 100, 128);
    out.when = sql(table, "when", kOptional);
    table.table("requires", [&](TableReader& inner) { out.required = columns_by_table(inner); });
    table.table("optional", [&](TableReader& inner) { out.optional = columns_by_table(inner); });
    table.table("known", [&](TableReader& inner) { out.known = columns_by_table(inner); });
    if (out.required.empty()) table.error("a version is known by a table [source.version.requires]");
    for (const auto& [kind, columns] : columns_by_kind()) {
      table.tables(kind, kOptional, 100,
                   [&, kind = kind](TableReader& inner) { out.queries.push_back(query(inner, kind)); });
    }
    if (out.queries.empty()) table.error("a version without a query yields nothing");
    return out;
  }

  static std::vector<AppRequiredTable> columns_by_table(TableReader& table) {
    std::vector<AppRequiredTable> out;
    std::set<std::string> seen;
    for (const std::string& name : table.keys()) {
      if (!is_column_name(name)) table.error_at(name, "a table's name is too long");
      if (!seen.insert(lower_ascii(name)).second)
        table.error_at(name, "names of tables compare without case: this is there twice");
      out.push_back({name, table.texts(name, kRequired, 500, 128)});
    }
    return out;
  }

  AppQuery query(TableReader& table, std::string_view kind) {
    AppQuery out;
    out.kind = kind;
    out.table = table.text("table", kRequired, 128);
    out.place = table.place("sql");
    out.sql = sql(table, "sql", kRequired);
    table.table("constants", [&](TableReader& inner) {
      for (const std::string& column : inner.keys()) {
        const auto& known = record_columns(kind);
        if (std::find(known.begin(), known.end(), column) == known.end()) {
          const std::string near = nearest_word(column, known);
          inner.error_at(column,
                         fmt::format("a {} has no column \"{}\"{}", kind, column,
                                     near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
        }
        out.constants.emplace_back(column, inner.text(column, kRequired, 200));
      }
    });
    return out;
  }

  static std::string sql(TableReader& table, std::string_view key, bool required) {
    std::string text = table.text(key, required, kMaxSql);
    if (text.empty()) return text;
    auto checked = single_select(text);
    if (!checked) {
      table.error_at(key, checked.error().message);
      return {};
    }
    return checked.take();
  }

  AppDefinition& app_;
  std::set<std::string> source_ids_;
};

}  // namespace

bool AppDefinition::matches(std::string_view path) const {
  return std::any_of(sources.begin(), sources.end(),
                     [&](const AppSource& s) { return any_matches(s.paths, path); });
}

const std::vector<std::string_view>& record_columns(std::string_view kind) {
  static const std::vector<std::string_view> none;
  for (const auto& [name, columns] : columns_by_kind()) {
    if (name == kind) return columns;
  }
  return none;
}

const std::vector<std::string_view>& record_kinds() {
  static const std::vector<std::string_view> kinds = [] {
    std::vector<std::string_view> out;
    for (const auto& [name, columns] : columns_by_kind()) out.push_back(name);
    return out;
  }();
  return kinds;
}

std::string runnable_sql(std::string_view sql, const AppVersion& version, const HasColumn& has) {
  std::string tables;
  for (const AppRequiredTable& table : version.optional) {
    const bool is_there = has(table.table, {});
    std::string columns = is_there ? "*" : "";
    for (const std::string& column : table.columns)
      if (!is_there || !has(table.table, column))
        columns += fmt::format("{}NULL AS {}", columns.empty() ? "" : ", ", quoted_name(column));
    // Not materialised: the table's own indexes stay of use.
    tables += fmt::format("{}{} AS NOT MATERIALIZED (SELECT {} {})", tables.empty() ? "WITH " : ",\n",
                          quoted_name("opt_" + table.table), columns,
                          is_there ? "FROM " + quoted_name(table.table) : "WHERE 0");
  }
  if (tables.empty()) return std::string(sql);
  return fmt::format("{}\nSELECT * FROM (\n{}\n)", tables, sql);
}

Result<AppDefinition> parse_app_definition(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  AppDefinition out;
  AppReader fields(out);
  out.info =
      reader.read(RuleKind::apps, "touchstone.app/1", true, [&](TableReader& root) { fields.read(root); });
  if (!reader.ok()) return reader.failure();
  return out;
}

Result<AppDefinition> load_app_definition(const std::string& path) {
  auto text = read_rule_file(path);
  if (!text) return text.error();
  return parse_app_definition(*text, path);
}

Result<std::vector<AppDefinition>> load_app_definitions(const std::string& root) {
  auto paths = find_rule_files(root, RuleKind::apps);
  if (!paths) return paths.error();
  std::vector<AppDefinition> apps;
  std::map<std::string, std::string> ids;
  for (const std::string& path : *paths) {
    auto app = load_app_definition(path);
    if (!app) return app.error();
    const auto [at, fresh] = ids.emplace(app->info.id, path);
    if (!fresh) {
      return Error{ErrorCode::invalid,
                   fmt::format("{}: the id \"{}\" is also that of {}", path, at->first, at->second)};
    }
    apps.push_back(app.take());
  }
  return apps;
}

std::vector<std::string> matching_apps(const std::vector<AppDefinition>& apps, std::string_view path) {
  std::vector<std::string> out;
  for (const AppDefinition& app : apps) {
    if (app.matches(path)) out.push_back(app.info.id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace touchstone
