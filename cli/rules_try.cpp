// touchstone rules try FILE.toml DATABASE: the plugin appdata on one database, its rows printed. The database
// is evidence: it is read in a sandboxed process of its own, which sends a line of JSON a row.
#include "cli/rules_try.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/json_line.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "evidence/digest.hpp"
#include "evidence/file_source.hpp"
#include "pipeline/sandbox.hpp"
#include "plugin/session.hpp"
#include "rules/app_definition.hpp"

namespace touchstone::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uint64_t kMemory = 4ULL << 30;

struct Unwatched final : Watch {
  void enter(int /*plugin*/) override {}
  std::string leave() override { return take_violation(); }
};

/// Sends each result as a line.
class LineSink final : public ResultSink {
 public:
  explicit LineSink(std::FILE* out) : out_(out) {}
  void record(Record&& record, const std::string& /*plugin*/) override {
    line_.clear();
    append_record_line(line_, record);
    std::fwrite(line_.data(), 1, line_.size(), out_);
  }
  void finding(Finding&& finding, bool /*of_content*/) override {
    send({{"kind", "finding"},
          {"category", finding.category},
          {"title", finding.title},
          {"detail", json::parse(finding.detail, nullptr, false)}});
  }
  void problem(const std::string& /*plugin*/, ProblemKind kind, std::string_view message,
               bool /*of_content*/) override {
    send({{"kind", "problem"}, {"problem", to_text(kind)}, {"message", std::string(message)}});
  }

 private:
  void send(const json& line) {
    const std::string text = line.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), out_);
  }
  std::FILE* out_;
  std::string line_;  // its room is used again
};

std::unique_ptr<ByteSource> beside(const fs::path& database, std::string_view name) {
  // Only what belongs to it: an app's definition has no business in the rest of the folder.
  const std::string own = database.filename().string();
  if (name != own + "-wal" && name != own + "-journal") return nullptr;
  auto source = FileSource::open((database.parent_path() / name).string());
  return source ? source.take() : nullptr;
}

void examine(PluginSession& session, const MediaTyper& typer, const fs::path& database, LineSink& sink) {
  auto source = FileSource::open(database.string());
  if (!source) return sink.problem("", ProblemKind::unreadable, source.error().message, false);
  Content content(source.take());
  ItemContext item;
  item.path = database.string();
  item.name = database.filename().string();
  item.locator = "try:" + item.name;
  item.neighbour = [&](std::string_view name) { return beside(database, name); };
  item.local_to_utc = [](std::int64_t local_us) { return local_us; };  // no exhibit says what zone it is
  Hasher hasher;
  Examination examination;
  const Status status = session.examine(item, content, hasher, typer, sink, examination);
  if (!status) sink.problem("", ProblemKind::unreadable, status.error().message, false);
  if (examination.ran.empty())
    sink.problem("", ProblemKind::unsupported, "the file is no SQLite database: " + content.media_type(),
                 false);
}

/// The child's whole life.
[[noreturn]] void be_apart(const PluginFile& plugin, const std::string& definition, const fs::path& database,
                           int out) {
  std::FILE* const lines = ::fdopen(out, "w");
  if (!lines) ::_exit(kInternal);
  LineSink sink(lines);
  try {
    Unwatched watch;
    const auto typer = MediaTyper::load();
    PluginSession session({{&plugin, json{{"files", {definition}}, {"any_path", true}}.dump()}}, watch);
    forbid_network();
    enter_sandbox({"/"}, kMemory);
    if (typer && session.status().at(0).ok) {
      examine(session, **typer, database, sink);
    } else {
      sink.problem("", ProblemKind::model_missing,
                   typer ? session.status().at(0).reason : typer.error().message, false);
    }
  } catch (const std::exception& error) {
    sink.problem("", ProblemKind::crash, error.what(), false);
  }
  std::fflush(lines);
  ::_exit(0);
}

}  // namespace

int try_rules(const std::string& definition, const std::string& database, bool as_json) {
  if (const auto app = load_app_definition(definition); !app) {
    complain(app.error().message);
    return kUsage;
  }
  if (!fs::is_regular_file(database)) throw UsageError(database + ": there is no such file");
  const auto plugins = load_plugins(plugin_folders({}));
  const auto plugin =
      std::find_if(plugins.begin(), plugins.end(), [](const PluginFile& f) { return f.name == "appdata"; });
  if (plugin == plugins.end() || !plugin->usable()) {
    complain("the plugin appdata is missing");
    return kInternal;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw UsageError("no pipe can be made");
  const std::string rules = fs::absolute(definition).string();
  const fs::path evidence = fs::absolute(database);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw UsageError("no process can be started");
  if (child == 0) {
    ::close(ends[0]);
    be_apart(*plugin, rules, evidence, ends[1]);
  }
  ::close(ends[1]);
  std::FILE* const in = ::fdopen(ends[0], "r");
  TryPrinter printer(as_json);
  char* line = nullptr;
  std::size_t room = 0;
  for (ssize_t size = 0; in && (size = ::getline(&line, &room, in)) > 0;)
    printer.line(std::string_view(line, static_cast<std::size_t>(size)));
  std::free(line);
  if (in) std::fclose(in);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  printer.end();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    complain("reading the database ended in a crash");
    return kInternal;
  }
  return printer.problems() > 0 ? kIncomplete : kComplete;
}

}  // namespace touchstone::cli
