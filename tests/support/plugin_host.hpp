// A small host for tests of plugins: loads NAME.tsp of the build tree as the real host does, gives it one
// item at a time and collects what it emits. No sandbox, no deadlines, one thread. Everything is kept by
// value, so an Outcome may be looked at after the next call.
//
//   auto host = PluginHost::load("hashes", R"({"sets": […]})");
//   TestItem item{.bytes = "abc"};
//   Outcome outcome = host->examine(item);
//   EXPECT_EQ(outcome.findings.at(0).rule, "my set");
#pragma once

#include <touchstone/plugin_abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/types.hpp"

namespace touchstone::test {

/// A picture facet, as pixels.
struct TestPicture {
  std::uint32_t width = 0, height = 0;
  std::uint32_t source_width = 0, source_height = 0;  ///< 0: as decoded
  std::vector<std::uint8_t> pixels;
};

struct TestFinding {
  std::string plugin, rule, category, title, detail, position, record_kind, record_key;
  int confidence = 0;
  bool operator==(const TestFinding&) const = default;
};

/// What a plugin is shown. What is left empty does not exist for it.
struct TestItem {
  std::string bytes;
  std::string media_type = "application/octet-stream";
  std::string path = "/item";                     ///< shown to plugins of scope ITEM only
  std::string locator;                            ///< "T/1:p0" + path where left empty
  std::map<std::string, std::string> neighbours;  ///< relative path → bytes
  std::optional<std::string> text;   ///< the text facet; without it, what lib/content makes of plain text
  bool no_text = false;              ///< no text facet at all
  std::vector<Record> records;       ///< what earlier extractors found in it
  std::vector<TestFinding> earlier;  ///< what findings() tells of
  std::optional<TestPicture> picture;
  /// Read instead of `bytes` where set; digests are those of `bytes`, or empty without any.
  std::function<std::int64_t(std::uint64_t offset, std::uint8_t* out, std::size_t capacity)> read_at;
  std::uint64_t size = 0;          ///< with read_at
  std::size_t piece = 256 * 1024;  ///< bytes that data() is given at once
  bool cancelled = false;
  // Budgets of the host: emit_member and emit_member_data refuse beyond them.
  std::uint64_t max_members = UINT64_MAX, max_member_bytes = UINT64_MAX;
};

struct TestProblem {
  std::string kind, message;
  bool operator==(const TestProblem&) const = default;
};

struct TestMember {
  std::uint32_t ordinal = 0;
  std::string path;
  std::uint64_t size = 0, packed_size = 0;
  bool is_directory = false, is_encrypted = false;
  std::optional<std::int64_t> modified;
  int time_basis = 0;
  // Of carved files.
  bool is_carved = false;
  int confidence = 0;
  std::uint64_t offset = 0, length = 0;
  std::string detail{};
};

/// Bytes that extract() gave for one member.
struct TestMemberData {
  std::string bytes;       ///< the first kKeptMemberBytes of them
  std::uint64_t size = 0;  ///< all of them
  std::string sha256;      ///< of all of them
  bool damaged = false;    ///< the pull ended with a negative number
};
inline constexpr std::size_t kKeptMemberBytes = 16U << 20U;

struct Outcome {
  ts_status status = TS_OK;     ///< the first that was neither TS_OK nor TS_DONE, else TS_OK
  std::string reason;           ///< given to fail()
  std::vector<Record> records;  ///< `fields` holds source_table and source_row and app too
  std::vector<TestFinding> findings;
  std::vector<TestProblem> problems;
  std::vector<TestMember> members;
  std::map<std::uint32_t, TestMemberData> data;
  std::string text;  ///< emit_text(), joined
  std::optional<TestPicture> picture;
};

struct TestRule {
  std::string rule, version, title;
};

class PluginHost {
 public:
  /// Loads BINARY_DIR/plugins/NAME.tsp and creates its plugin. A test fails (ADD_FAILURE) and null is
  /// returned if that cannot be done; use `create_status` to test a create() that has to fail.
  static std::unique_ptr<PluginHost> load(const std::string& name, const std::string& settings = "{}");
  /// As load(), but null means only that the file is not a plugin; create() may have failed.
  static std::unique_ptr<PluginHost> open(const std::string& path, const std::string& settings);
  /// A plugin that is linked in.
  static std::unique_ptr<PluginHost> of(const ts_plugin_v1* table, const std::string& settings = "{}");
  ~PluginHost();
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  const ts_plugin_v1& table() const { return *table_; }
  ts_status create_status() const { return create_status_; }
  const std::string& create_reason() const { return create_reason_; }
  const std::vector<TestRule>& rules() const { return rules_; }
  const std::vector<std::string>& log() const { return log_; }

  /// Whether the matcher accepts the item (media type, name, size; records are looked at where it has
  /// record_kinds).
  bool matches(const TestItem& item) const;
  /// begin, data, text, records, finish, as far as the plugin's inputs ask for them; the matcher is not
  /// asked.
  Outcome examine(const TestItem& item);
  Outcome list(const TestItem& item);
  Outcome extract(const TestItem& item, std::uint32_t first = 0, std::uint32_t count = UINT32_MAX);
  Outcome provide(const TestItem& item, ts_facet facet);

 private:
  PluginHost() = default;
  friend struct HostTable;
  struct Services;

  std::unique_ptr<Services> services_;
  const ts_plugin_v1* table_ = nullptr;
  void* self_ = nullptr;
  ts_status create_status_ = TS_ERROR;
  std::string create_reason_, settings_;
  std::vector<TestRule> rules_;
  std::vector<std::string> log_;
};

/// Paths of all plugins of the build tree, sorted.
std::vector<std::string> built_plugins();

}  // namespace touchstone::test
