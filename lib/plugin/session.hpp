// Running plugins over items: the host's side of plugin_abi.h. A session belongs to one worker process and
// one thread. It knows nothing of processes, of the case database or of scope beyond the hooks it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "content/content.hpp"
#include "model/types.hpp"
#include "plugin/loader.hpp"

namespace touchstone {

struct PluginSetup {
  const PluginFile* file = nullptr;  ///< outlives the session
  std::string settings = "{}";       ///< one JSON object
};

/// How create() went.
struct PluginStatus {
  std::string name, version;
  bool ok = false;
  ProblemKind kind = ProblemKind::model_missing;  ///< when not ok
  std::string reason;
};

struct DeclaredRule {
  std::string plugin, rule, version, title;
};

/// Where a carved file lies in the bytes that hold it: its first run. `detail` is JSON from the plugin.
struct CarvedInfo {
  std::uint64_t offset = 0, length = 0;
  std::int32_t confidence = 0;
  std::string detail;
};
inline constexpr std::size_t kMaxCarvedDetail = 64 * 1024;

/// A member as a container names it; `path` is raw bytes.
struct MemberInfo {
  std::uint32_t ordinal = 0;
  std::string path;
  std::uint64_t size = 0;  ///< UINT64_MAX if unknown
  bool directory = false, encrypted = false;
  Times times;
  std::optional<CarvedInfo> carved;  ///< found by its form, not named by anything
};

/// Told when control enters and leaves a plugin: for blame, deadlines and the sandbox's verdict.
class Watch {
 public:
  virtual ~Watch() = default;
  /// Index into the session's order; -1: the host itself.
  virtual void enter(int plugin) = 0;
  /// What the sandbox refused since enter(), in words; empty if nothing.
  virtual std::string leave() = 0;
};

/// Takes what plugins give, as it comes. `of_content`: holds for equal bytes anywhere.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void record(Record&& record, const std::string& plugin) = 0;
  virtual void finding(Finding&& finding, bool of_content) = 0;
  virtual void problem(const std::string& plugin, ProblemKind kind, std::string_view message,
                       bool of_content) = 0;
};

/// A database of an app on the same exhibit, for pages of tables whose own database is gone.
struct KinDatabase {
  struct Files {
    std::unique_ptr<ByteSource> main, wal, journal;
  };
  std::string path;
  std::function<Files()> open;  ///< `main` is null where it cannot be read
};

/// One item as plugins may see it. Hooks may be empty.
struct ItemContext {
  std::string locator, path, name;
  std::function<std::unique_ptr<ByteSource>(std::string_view relative_path)> neighbour;
  std::function<TimeUs(std::int64_t local_us)> local_to_utc;
  std::function<bool(const Record&)> passes;  ///< the scope gate for rows
  std::function<bool()> cancelled;
  bool rows_only = false;      ///< only `appdata` runs
  std::string country = "GB";  ///< of telephone numbers that are written without one
  bool recover = true;         ///< rows deleted from databases may be looked for
  /// Whether content-scope results for these bytes were given before: asked once, after the read.
  std::function<bool(const std::string& sha256)> reuse_content_if;
  std::vector<KinDatabase> kin;             ///< of an item of pages only
  std::set<std::string, std::less<>> skip;  ///< left out after two charged attempts
  std::set<std::string, std::less<>> only;  ///< if any: run just these
};

struct Examination {
  std::vector<std::uint32_t> ran, not_run;  ///< indices into order()
  ItemState state = ItemState::examined;    ///< the worst that a plugin left
  std::string reason;
  bool reused = false;  ///< see ItemContext::reuse_content_if
};

struct StageTiming {
  std::uint64_t calls = 0, cpu_us = 0, bytes = 0;
};

class PluginSession {
 public:
  /// Calls create() of each, in the order given. `watch` outlives the session.
  PluginSession(const std::vector<PluginSetup>& plugins, Watch& watch);
  ~PluginSession();
  PluginSession(const PluginSession&) = delete;
  PluginSession& operator=(const PluginSession&) = delete;

  const std::vector<PluginStatus>& status() const;
  const std::vector<DeclaredRule>& rules() const;
  std::size_t count() const;
  const ts_plugin_v1& table(std::size_t plugin) const;
  /// CPU time in each plugin since the last call, which clears it.
  std::vector<StageTiming> take_timings();

  /// Reads `content` (Content::read) and runs every plugin that matches.
  Status examine(const ItemContext& item, Content& content, Hasher& hasher, const MediaTyper& typer,
                 ResultSink& sink, Examination& out);

  /// Indexes of the container readers that take this content, the one to ask first in front. After examine().
  /// Of bytes of no known type several may say that they read such: the first that names members has it.
  std::vector<int> container_readers(const ItemContext& item, Content& content) const;
  /// Names the members; `each` returns false to stop at a limit.
  void list_members(int plugin, const ItemContext& item, Content& content, ResultSink& sink,
                    const std::function<bool(MemberInfo&&)>& each, Examination& out);
  /// Gives the bytes of members [first, first + count): `each` pulls them and returns false to stop. Problems
  /// go to `sink`.
  using Pull = std::function<std::int64_t(std::span<std::uint8_t>)>;
  void extract_members(int plugin, const ItemContext& item, Content& content, ResultSink& sink,
                       std::uint32_t first, std::uint32_t count,
                       const std::function<bool(std::uint32_t ordinal, const Pull&)>& each, Examination& out);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace touchstone
