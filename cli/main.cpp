#include <fmt/format.h>
#include <malloc.h>

#include <exception>

#include "casefile/sqlite.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "pipeline/worker_process.hpp"

namespace touchstone::cli {
namespace {

constexpr Command kCommands[] = {
    {"triage", "examine exhibits and write a prioritised report: the main job", run_triage},
    {"report", "write the reports of a case folder again, without the evidence", run_report},
    {"verify", "check an image against its stored hash, or a case folder against its manifest", run_verify},
    {"status", "progress and accounting of a run, live or ended", run_status},
    {"plugins", "list what looks at the evidence: plugins list, plugins info NAME", run_plugins},
    {"rules", "list, check and try rule files: rules list, rules check [DIR], rules try FILE DATABASE",
     run_rules},
};

void print_help() {
  fmt::print(
      "Touchstone {}: forensic triage of seized devices.\n\nUsage: touchstone COMMAND [OPTION ...]\n\n",
      TOUCHSTONE_VERSION);
  for (const Command& command : kCommands) fmt::print("  {:<9} {}\n", command.name, command.summary);
  fmt::print(
      "\nExample: touchstone triage --out case ABC/1:suspect=phone.E01\n"
      "Each command explains itself: touchstone triage --help\n\n"
      "Exit codes: 0 complete; 1 complete, but something could not be examined (all of it is listed);\n"
      "2 usage, case or rule file wrong; 3 an exhibit could not be opened or failed verification;\n"
      "4 stopped before the end: the same command resumes; 70 internal error.\n");
}

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_help();
    return kUsage;
  }
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_help();
    return kComplete;
  }
  if (arguments[0] == "--version") {
    fmt::print("touchstone {}\n", TOUCHSTONE_VERSION);
    return kComplete;
  }
  for (const Command& command : kCommands) {
    if (arguments[0] == command.name) return command.run({arguments.begin() + 1, arguments.end()});
  }
  complain("there is no command " + arguments[0] + ": see touchstone --help");
  return kUsage;
}

}  // namespace
}  // namespace touchstone::cli

int main(int argc, char** argv) {
  using namespace touchstone;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Records are many small allocations with a larger one between: each of these would sort out all that was
  // freed.
  mallopt(M_MXFAST, 0);
  try {
    // Not for people: the body of a worker process, started by the coordinator.
    if (arguments.size() == 1 && arguments[0] == "worker") return run_worker_process();
    return cli::dispatch(arguments);
  } catch (const CaseError& error) {
    cli::complain(error.what());
    return error.sqlite_code == SQLITE_FULL || error.sqlite_code == SQLITE_IOERR ? cli::kStopped
                                                                                 : cli::kUsage;
  } catch (const std::exception& error) {
    cli::complain(std::string("internal error: ") + error.what());
    return cli::kInternal;
  }
}
