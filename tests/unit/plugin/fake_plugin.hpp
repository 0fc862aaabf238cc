// Plugins whose calls a test writes as lambdas, and what a session gives back. Not for shipped plugins: those
// are tested as shared objects, by tests/support/plugin_host.hpp.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "evidence/byte_source.hpp"
#include "plugin/session.hpp"

namespace touchstone::test {

/// The table leads to the lambdas through `self`; create() finds the object by the settings, which hold its
/// address.
class Fake {
 public:
  explicit Fake(std::string name, std::uint32_t roles = TS_ROLE_CLASSIFIER,
                std::uint32_t inputs = TS_INPUT_NONE)
      : name_(std::move(name)) {
    table = {};
    table.struct_size = sizeof table;
    table.abi_major = TS_ABI_MAJOR;
    table.abi_minor = TS_ABI_MINOR;
    table.name = name_.c_str();
    table.version = "2.5";
    table.summary = "A plugin of a test";
    table.licence = "Apache-2.0";
    table.roles = roles;
    table.inputs = inputs;
    table.create = [](const ts_host_v1* services, void** self) {
      Fake& fake = *reinterpret_cast<Fake*>(std::stoull(std::string(from_abi(services->settings(services)))));
      fake.host = services;
      *self = &fake;
      return fake.on_create ? fake.on_create(services) : TS_OK;
    };
    table.destroy = [](void* self) { of(self).destroyed = true; };
    table.begin = [](void* self, ts_job* job) { return of(self).call("begin", of(self).on_begin, job); };
    table.finish = [](void* self, ts_job* job) { return of(self).call("finish", of(self).on_finish, job); };
    table.list = [](void* self, ts_job* job) { return of(self).call("list", of(self).on_list, job); };
    table.data = [](void* self, ts_job* job, std::uint64_t offset, ts_bytes bytes) {
      of(self).note("data " + std::to_string(offset) + "+" + std::to_string(bytes.size));
      Job face(of(self).host, job);
      return of(self).on_data ? of(self).on_data(face, offset, {bytes.data, bytes.size}) : TS_OK;
    };
    table.text = [](void* self, ts_job* job, std::uint64_t offset, std::size_t overlap, ts_str window) {
      of(self).note("text");
      Job face(of(self).host, job);
      return of(self).on_text ? of(self).on_text(face, offset, overlap, from_abi(window)) : TS_OK;
    };
    table.records = [](void* self, ts_job* job, const ts_record* records, std::size_t count) {
      of(self).note("records " + std::to_string(count));
      Job face(of(self).host, job);
      return of(self).on_records ? of(self).on_records(face, {records, count}) : TS_OK;
    };
    table.extract = [](void* self, ts_job* job, std::uint32_t first, std::uint32_t count) {
      Job face(of(self).host, job);
      return of(self).on_extract ? of(self).on_extract(face, first, count) : TS_UNSUPPORTED;
    };
    table.provide = [](void* self, ts_job* job, ts_facet facet) {
      of(self).note("provide");
      Job face(of(self).host, job);
      return of(self).on_provide ? of(self).on_provide(face, facet) : TS_UNSUPPORTED;
    };
    file.name = name_;
    file.table = &table;
  }
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

  PluginSetup setup() { return {&file, std::to_string(reinterpret_cast<std::uintptr_t>(this))}; }

  ts_plugin_v1 table;
  PluginFile file;
  const ts_host_v1* host = nullptr;
  bool destroyed = false;
  std::vector<std::string>* log = nullptr;  ///< "name call" of every call
  std::function<ts_status(const ts_host_v1*)> on_create;
  std::function<ts_status(Job&)> on_begin, on_finish, on_list;
  std::function<ts_status(Job&, std::uint64_t, std::span<const std::uint8_t>)> on_data;
  std::function<ts_status(Job&, std::uint64_t, std::size_t, std::string_view)> on_text;
  std::function<ts_status(Job&, std::span<const ts_record>)> on_records;
  std::function<ts_status(Job&, std::uint32_t, std::uint32_t)> on_extract;
  std::function<ts_status(Job&, ts_facet)> on_provide;

 private:
  static Fake& of(void* self) { return *static_cast<Fake*>(self); }
  void note(const std::string& what) {
    if (log) log->push_back(name_ + " " + what);
  }
  ts_status call(const char* what, const std::function<ts_status(Job&)>& function, ts_job* job) {
    note(what);
    Job face(host, job);
    return function ? function(face) : TS_OK;
  }
  std::string name_;
};

/// Where control was said to be, and one refusal to be told.
struct Marks final : Watch {
  void enter(int plugin) override { now = plugin; }
  std::string leave() override {
    now = -1;
    return std::exchange(refused, {});
  }
  int now = -2;
  std::string refused;
};

struct Kept final : ResultSink {
  struct Trouble {
    std::string plugin;
    ProblemKind kind;
    std::string message;
    bool of_content;
  };
  void record(Record&& record, const std::string& plugin) override {
    records.push_back(std::move(record));
    makers.push_back(plugin);
  }
  void finding(Finding&& finding, bool of_content) override {
    findings.push_back(std::move(finding));
    finding_of_content.push_back(of_content);
  }
  void problem(const std::string& plugin, ProblemKind kind, std::string_view message,
               bool of_content) override {
    problems.push_back({plugin, kind, std::string(message), of_content});
  }
  std::vector<Record> records;
  std::vector<std::string> makers;
  std::vector<Finding> findings;
  std::vector<bool> finding_of_content;
  std::vector<Trouble> problems;
};

inline const MediaTyper& typer() {
  static const auto typer = MediaTyper::load();
  EXPECT_TRUE(typer);
  return **typer;
}

inline std::unique_ptr<ByteSource> source_of(std::string_view text) {
  const auto* from = reinterpret_cast<const std::byte*>(text.data());
  return make_memory_source({from, from + text.size()});
}

inline ItemContext item_at(const std::string& path) {
  ItemContext item;
  item.locator = "A:p0" + path + ";7";
  item.path = path;
  item.name = path.substr(path.rfind('/') + 1);
  return item;
}

inline Examination examine(PluginSession& session, std::unique_ptr<ByteSource> source,
                           const ItemContext& item, Kept& kept) {
  Content content(std::move(source));
  Hasher hasher;
  Examination out;
  const Status status = session.examine(item, content, hasher, typer(), kept, out);
  EXPECT_TRUE(status) << status.error().message;
  return out;
}
inline Examination examine(PluginSession& session, std::string_view bytes, const ItemContext& item,
                           Kept& kept) {
  return examine(session, source_of(bytes), item, kept);
}

/// A session over fakes, in the order given.
class Bench {
 public:
  explicit Bench(std::initializer_list<Fake*> fakes) {
    std::vector<PluginSetup> setups;
    for (Fake* fake : fakes) {
      fake->log = &log;
      setups.push_back(fake->setup());
    }
    session_ = std::make_unique<PluginSession>(setups, marks);
  }
  Examination run(std::string_view bytes, const ItemContext& item = item_at("/a.txt")) {
    return examine(*session_, bytes, item, kept);
  }
  Examination run(std::unique_ptr<ByteSource> source, const ItemContext& item = item_at("/a.txt")) {
    return examine(*session_, std::move(source), item, kept);
  }
  PluginSession& session() { return *session_; }
  bool called(const std::string& line) const { return std::find(log.begin(), log.end(), line) != log.end(); }

  std::vector<std::string> log;
  Marks marks;
  Kept kept;

 private:
  std::unique_ptr<PluginSession> session_;
};

}  // namespace touchstone::test
