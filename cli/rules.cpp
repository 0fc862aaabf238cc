#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/rules_try.hpp"
#include "cli/terminal.hpp"
#include "plugin/loader.hpp"
#include "rules/check.hpp"

namespace touchstone::cli {
namespace {

constexpr const char* kHelp =
    "List and check rule files: keywords, apps, order, ranking, scope.\n\n"
    "Usage: touchstone rules list  [DIR] [--json]\n"
    "       touchstone rules check [DIR|FILE] [--json]\n"
    "       touchstone rules try   FILE.toml DATABASE [--json]\n\n"
    "Without DIR the program's own rules. check runs each file's examples and counter-examples; exit code 2 "
    "when one\n"
    "is wrong, with file:line:column. try prints the rows that an app definition yields from a database, "
    "with "
    "its\n"
    "-wal and -journal beside it; which version fitted, or why none did; what was recovered; and each "
    "problem\n"
    "(exit code 1 if there is one). --json: one line of JSON a row.\n\n"
    "Example: touchstone rules check my-rules\n"
    "         touchstone rules try chatter.toml main.db\n";

int body(const std::vector<std::string>& arguments) {
  options::options_description visible("Options");
  visible.add_options()("json", "print as JSON");
  const auto values = parse(arguments, visible, "what", kHelp);
  if (!values) return kComplete;
  const auto what =
      values->count("what") ? (*values)["what"].as<std::vector<std::string>>() : std::vector<std::string>();
  if (what.size() == 3 && what[0] == "try") return try_rules(what[1], what[2], values->count("json") > 0);
  if (what.empty() || what.size() > 2 || (what[0] != "list" && what[0] != "check"))
    throw UsageError("say: rules list [DIR], rules check [DIR or FILE], or rules try FILE DATABASE");
  const auto checks = check_rules(what.size() == 2 ? what[1] : data_folder() + "/rules");
  nlohmann::json all = nlohmann::json::array();
  std::size_t wrong = 0;
  for (const RuleCheck& check : checks) {
    wrong += check.ok() ? 0 : 1;
    if (values->count("json")) {
      all.push_back({{"path", check.info.path},
                     {"kind", to_text(check.info.kind)},
                     {"id", check.info.id},
                     {"version", check.info.version},
                     {"title", check.info.title},
                     {"sha256", check.info.sha256},
                     {"entries", check.entries},
                     {"errors", check.errors}});
      continue;
    }
    if (what[0] == "list")
      fmt::print("{:<9} {:<20} {:<8} {:>4}  {}\n", to_text(check.info.kind), inert(check.info.id),
                 inert(check.info.version), check.entries, inert(check.info.title));
    for (const std::string& error : check.errors) fmt::print("{}\n", inert(error));
  }
  if (values->count("json"))
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!values->count("json") && what[0] == "check") fmt::print("{} files, {} wrong\n", checks.size(), wrong);
  return wrong == 0 ? kComplete : kUsage;
}

}  // namespace

int run_rules(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli
