#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "plugin/loader.hpp"

namespace touchstone::cli {
namespace {

constexpr const char* kHelp =
    "What looks at the evidence.\n\n"
    "Usage: touchstone plugins list [--json]\n"
    "       touchstone plugins info NAME [--json]\n\n"
    "Example: touchstone plugins list\n";

nlohmann::json describe(const PluginFile& file) {
  nlohmann::json text = {
      {"name", file.name}, {"path", file.path}, {"sha256", file.sha256}, {"usable", file.usable()}};
  if (!file.usable()) {
    text["error"] = file.error;
    return text;
  }
  const ts_plugin_v1& table = *file.table;
  text["version"] = table.version;
  text["summary"] = table.summary;
  text["licence"] = table.licence;
  text["roles"] = roles_text(table.roles);
  text["scope"] = table.scope == TS_SCOPE_ITEM ? "item" : "content";
  text["interface"] = fmt::format("{}.{}", table.abi_major, table.abi_minor);
  for (const auto& [name, list] :
       {std::pair<const char*, const char* const*>{"media_types", table.matcher.media_types},
        {"name_globs", table.matcher.name_globs},
        {"after", table.after}}) {
    text[name] = nlohmann::json::array();
    for (const char* const* each = list; each && *each; ++each) text[name].push_back(*each);
  }
  return text;
}

int body(const std::vector<std::string>& arguments) {
  options::options_description visible("Options");
  visible.add_options()("json", "print as JSON")(
      "plugin-path", options::value<std::vector<std::string>>()->composing(), "further folder with plugins");
  const auto values = parse(arguments, visible, "what", kHelp);
  if (!values) return kComplete;
  const auto what = values->count("what") ? (*values)["what"].as<std::vector<std::string>>()
                                          : std::vector<std::string>{"list"};
  const auto extra = values->count("plugin-path") ? (*values)["plugin-path"].as<std::vector<std::string>>()
                                                  : std::vector<std::string>();
  const auto plugins = load_plugins(plugin_folders(extra));
  if (what[0] == "list" && what.size() == 1) {
    nlohmann::json all = nlohmann::json::array();
    bool sound = true;
    for (const PluginFile& file : plugins) {
      sound = sound && file.usable();
      if (values->count("json")) {
        all.push_back(describe(file));
      } else if (file.usable()) {
        fmt::print("{:<12} {:<8} {:<12} {}\n", file.name, file.table->version, roles_text(file.table->roles),
                   file.table->summary);
      } else {
        fmt::print("{:<12} cannot be used: {}\n", inert(file.name), inert(file.error));
      }
    }
    if (values->count("json")) fmt::print("{}\n", all.dump(2));
    if (plugins.empty()) complain("no plugins found: build them, or name their folder with --plugin-path");
    return sound && !plugins.empty() ? kComplete : kIncomplete;
  }
  if (what[0] == "info" && what.size() == 2) {
    for (const PluginFile& file : plugins) {
      if (file.name != what[1]) continue;
      const nlohmann::json text = describe(file);
      if (values->count("json")) {
        fmt::print("{}\n", text.dump(2));
      } else {
        for (const auto& [name, value] : text.items())
          fmt::print("{:<12} {}\n", name, inert(value.is_string() ? value.get<std::string>() : value.dump()));
      }
      return kComplete;
    }
    throw UsageError("there is no plugin " + what[1]);
  }
  throw UsageError("say: plugins list, or plugins info NAME");
}

}  // namespace

int run_plugins(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli
