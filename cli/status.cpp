#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "casefile/case_writer.hpp"
#include "casefile/finalise.hpp"
#include "casefile/sqlite.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/summary.hpp"
#include "cli/terminal.hpp"

namespace touchstone::cli {
namespace {

constexpr const char* kHelp =
    "Progress and accounting of a run, live or ended.\n\n"
    "Usage: touchstone status DIR [--json]\n\n"
    "Example: touchstone status case\n";

int body(const std::vector<std::string>& arguments) {
  options::options_description visible("Options");
  visible.add_options()("json", "print as JSON")("stats", "print CPU seconds by stage and plugin");
  const auto values = parse(arguments, visible, "folder", kHelp);
  if (!values) return kComplete;
  if (values->count("folder") == 0) throw UsageError("name the case folder");
  const std::string folder = (*values)["folder"].as<std::vector<std::string>>().front();
  if (!std::filesystem::exists(folder + "/case.db"))
    throw UsageError(folder + " is no case folder: it has no case.db");
  Database db(folder + "/case.db", Database::Mode::read_only);
  const Completeness state = completeness(db);
  const int code = state.units_open > 0     ? kStopped
                   : state.exhibits_bad > 0 ? kExhibit
                   : state.falls_short()    ? kIncomplete
                                            : kComplete;
  const bool live = CaseWriter::is_locked(folder);
  const std::string note = state.units_open == 0 ? ""
                                                 : fmt::format("{} units of work are left{}",
                                                               state.units_open, live ? " so far" : "");
  if (live)
    fmt::print("A run is under way: these are figures of this moment; leads are ranked at its end.\n\n");
  print_summary(db, folder, {values->count("json") != 0, values->count("stats") != 0, live}, code, note);
  return kComplete;
}

}  // namespace

int run_status(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli
