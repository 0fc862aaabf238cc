#include "report/report.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "casefile/finalise.hpp"
#include "casefile/sqlite.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "report/audit.hpp"
#include "report/manifest.hpp"

namespace touchstone::cli {
namespace {

constexpr const char* kHelp =
    "Write the reports of a case folder again, without the evidence.\n\n"
    "Usage: touchstone report DIR [--format html,jsonl,csv]\n\n"
    "Example: touchstone report case --format csv\n";

int body(const std::vector<std::string>& arguments) {
  options::options_description visible("Options");
  visible.add_options()("format", options::value<std::string>()->default_value("html,jsonl,csv"),
                        "which, separated by commas")(
      "operator", options::value<std::string>()->default_value(""), "who runs this, for the audit");
  const auto values = parse(arguments, visible, "folder", kHelp);
  if (!values) return kComplete;
  if (values->count("folder") == 0) throw UsageError("name the case folder");
  const std::string folder = (*values)["folder"].as<std::vector<std::string>>().front();
  auto formats = parse_report_formats((*values)["format"].as<std::string>());
  if (!formats) throw UsageError(formats.error().message);
  if (!std::filesystem::exists(folder + "/case.db"))
    throw UsageError(folder + " is no case folder: it has no case.db");
  ReportOptions wanted;
  wanted.dir = folder;
  wanted.formats = *formats;
  Status done = write_report(wanted);
  if (done) {
    AuditEntry entry;
    entry.at = std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count();
    entry.command = "touchstone report";
    for (const std::string& argument : arguments) entry.command += " " + argument;
    entry.operator_name = (*values)["operator"].as<std::string>();
    entry.version = TOUCHSTONE_VERSION;
    entry.outcome = "exit 0";
    done = append_audit(folder, entry);
  }
  if (done) done = write_manifest(folder);
  if (!done) {
    complain(done.error().message);
    return kStopped;
  }
  const Database db(folder + "/case.db", Database::Mode::read_only);
  if (const Completeness state = completeness(db); state.units_open > 0) {
    complain(fmt::format(
        "the run in {} is not complete: {} units of work are left, and leads were ranked as of its "
        "last end. The same triage command goes on with it.",
        folder, state.units_open));
  }
  fmt::print("Report: {}\n", (std::filesystem::absolute(folder) / "report/index.html").string());
  return kComplete;
}

}  // namespace

int run_report(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli
