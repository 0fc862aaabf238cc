// The C++ face of plugin_abi.h: header-only, so that nothing but the C table crosses the boundary.
//
//   class Length final : public touchstone::Plugin {
//    public:
//     static constexpr touchstone::Manifest kManifest{
//         .name = "length", .version = "1.0", .summary = "Notes files longer than a limit", .licence =
//         "Apache-2.0", .roles = TS_ROLE_CLASSIFIER};
//     explicit Length(touchstone::Setup& setup) { setup.declare_rule("long", "1", "Long file"); }
//     ts_status begin(touchstone::Job& job) override { … return TS_DONE; }
//   };
//   TOUCHSTONE_PLUGIN(Length)
//
// A constructor that throws touchstone::ModelMissing keeps the plugin out of the run, which says so; any
// other exception, here or later, becomes a problem. See plugin_abi.h for what is called when, and for
// ownership.
#pragma once

#include <touchstone/plugin_abi.h>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone {

inline ts_str to_abi(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view from_abi(ts_str text) {
  return text.data ? std::string_view(text.data, text.size) : std::string_view();
}

/// What a plugin is. All pointers are to static storage.
struct Manifest {
  const char* name;
  const char* version;
  const char* summary;
  const char* licence;
  std::uint32_t roles = 0;
  ts_scope scope = TS_SCOPE_CONTENT;
  std::uint32_t inputs = TS_INPUT_NONE;
  bool costly = false;
  std::uint32_t provides = 0;
  const char* const* media_types = nullptr;
  const char* const* name_globs = nullptr;
  std::uint64_t min_size = 0, max_size = 0;
  const char* const* record_kinds = nullptr;
  const char* const* after = nullptr;
};

/// Thrown by a constructor when a model or set it cannot do without is not installed.
class ModelMissing : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by any call to end it with a status of its own and a reason.
class Failure : public std::runtime_error {
 public:
  Failure(ts_status status_in, const std::string& reason) : std::runtime_error(reason), status(status_in) {}
  ts_status status;
};

/// One cell of a record or parameter of a query; text is not copied.
struct Cell {
  ts_value value{TS_NULL, 0, 0, {nullptr, 0}};
  Cell() = default;
  Cell(std::int64_t integer) { value.kind = TS_INTEGER, value.integer = integer; }  // NOLINT
  Cell(int integer) : Cell(static_cast<std::int64_t>(integer)) {}                   // NOLINT
  Cell(double real) { value.kind = TS_REAL, value.real = real; }                    // NOLINT
  Cell(std::string_view text) { value.kind = TS_TEXT, value.text = to_abi(text); }  // NOLINT
  Cell(const char* text) : Cell(std::string_view(text)) {}                          // NOLINT
  Cell(const std::string& text) : Cell(std::string_view(text)) {}                   // NOLINT
  Cell(const ts_value& raw) : value(raw) {}                                         // NOLINT
  template <typename T>
  Cell(const std::optional<T>& maybe) : Cell() {
    if (maybe) *this = Cell(*maybe);
  }  // NOLINT
};

struct Field {
  std::string_view name;
  Cell cell;
};

/// What is at hand in a constructor.
class Setup {
 public:
  explicit Setup(const ts_host_v1* host) : host_(host) {}
  std::string_view settings() const { return from_abi(host_->settings(host_)); }
  void declare_rule(std::string_view rule, std::string_view version, std::string_view title) {
    host_->declare_rule(host_, to_abi(rule), to_abi(version), to_abi(title));
  }
  void log(std::string_view line) { host_->log(host_, to_abi(line)); }
  const ts_host_v1* host() const { return host_; }

 private:
  const ts_host_v1* host_;
};

/// Rows of a query on the item as a database. Move-only; closes itself.
class Query {
 public:
  Query(const ts_host_v1* host, ts_query* query) : host_(host), query_(query) {}
  Query(Query&& other) noexcept : host_(other.host_), query_(other.query_) { other.query_ = nullptr; }
  Query& operator=(Query&&) = delete;
  ~Query() {
    if (query_) host_->query_close(query_);
  }
  explicit operator bool() const { return query_ != nullptr; }
  /// True while there is a row. After the end, failed() tells whether it was cut short.
  bool step() {
    const int rc = query_ ? host_->query_step(query_) : -1;
    failed_ = rc < 0;
    return rc > 0;
  }
  bool failed() const { return failed_; }
  std::size_t columns() const { return host_->query_columns(query_); }
  std::string_view column_name(std::size_t column) const {
    return from_abi(host_->query_column_name(query_, column));
  }
  ts_value value(std::size_t column) const { return host_->query_value(query_, column); }

 private:
  const ts_host_v1* host_;
  ts_query* query_;
  bool failed_ = false;
};

/// One item on its way through the plugins. Valid during the call.
class Job {
 public:
  Job(const ts_host_v1* host, ts_job* job) : host_(host), job_(job) {}

  std::uint64_t size() const { return host_->size(job_); }
  /// Bytes read; fewer than asked only at the end; negative if nothing can be read there.
  std::int64_t read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
    return host_->read_at(job_, offset, out.data(), out.size());
  }
  std::string_view media_type() const { return from_abi(host_->media_type(job_)); }
  std::string_view digest(std::string_view algorithm) const {
    return from_abi(host_->digest(job_, to_abi(algorithm)));
  }
  bool cancelled() const { return host_->cancelled(job_) != 0; }
  std::string_view path() const { return from_abi(host_->path(job_)); }
  std::string_view locator() const { return from_abi(host_->locator(job_)); }
  /// All bytes of a sibling, absent if there is none or it is larger than `limit`.
  std::optional<std::vector<std::uint8_t>> neighbour(std::string_view relative_path,
                                                     std::uint64_t limit) const {
    ts_source* source = host_->neighbour_open(job_, to_abi(relative_path));
    if (!source) return std::nullopt;
    std::optional<std::vector<std::uint8_t>> bytes;
    if (const auto size = host_->neighbour_size(source); size <= limit) {
      bytes.emplace(static_cast<std::size_t>(size));
      const auto got = host_->neighbour_read_at(source, 0, bytes->data(), bytes->size());
      bytes->resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    }
    host_->neighbour_close(source);
    return bytes;
  }
  bool has_neighbour(std::string_view relative_path) const {
    ts_source* source = host_->neighbour_open(job_, to_abi(relative_path));
    if (source) host_->neighbour_close(source);
    return source != nullptr;
  }

  std::optional<ts_picture> picture(std::uint32_t min_side) const {
    ts_picture picture{sizeof(ts_picture), 0, 0, 0, 0, nullptr};
    if (host_->picture(job_, min_side, &picture) != TS_OK) return std::nullopt;
    return picture;
  }
  Query query(std::string_view sql, std::initializer_list<Cell> parameters = {},
              ts_database_state state = TS_DB_CURRENT) const {
    std::vector<ts_value> values;
    for (const Cell& cell : parameters) values.push_back(cell.value);
    return {host_, host_->query(job_, state, to_abi(sql), values.data(), values.size())};
  }
  /// The query, which reads `table`, over rows of it that were deleted; empty where there are none. See
  /// ts_host_v1::query_recovered for the columns that it adds.
  Query query_recovered(std::string_view table, std::string_view sql) const {
    if (host_->struct_size < offsetof(ts_host_v1, query_recovered) + sizeof(void*) || !host_->query_recovered)
      return {host_, nullptr};
    return {host_, host_->query_recovered(job_, to_abi(table), to_abi(sql), nullptr, 0)};
  }
  /// Numbers missing among the rows of a table; empty where they are not numbered.
  Query row_gaps(std::string_view table) const {
    if (host_->struct_size < offsetof(ts_host_v1, row_gaps) + sizeof(void*) || !host_->row_gaps)
      return {host_, nullptr};
    return {host_, host_->row_gaps(job_, to_abi(table))};
  }

  /// Of an item of pages without their database: databases to whose tables its rows fit. See
  /// ts_host_v1::page_databases.
  std::uint32_t page_databases() const {
    if (host_->struct_size < offsetof(ts_host_v1, page_databases) + sizeof(void*) || !host_->page_databases)
      return 0;
    return host_->page_databases(job_);
  }
  /// query() and query_recovered() are from now on of that database; its path. After page_databases().
  std::string use_page_database(std::uint32_t index) {
    return std::string(from_abi(host_->use_page_database(job_, index)));
  }

  /// Returns the record's key.
  std::string emit_record(std::string_view kind, std::string_view app, std::string_view source_table,
                          std::string_view source_row, std::span<const Field> fields) {
    std::vector<ts_field> raw;
    raw.reserve(fields.size());
    for (const Field& field : fields) raw.push_back({to_abi(field.name), field.cell.value});
    return std::string(from_abi(host_->emit_record(job_, to_abi(kind), to_abi(app), to_abi(source_table),
                                                   to_abi(source_row), raw.data(), raw.size())));
  }
  struct FindingText {
    std::string_view rule, category, title, detail, position, record_kind, record_key;
  };
  void emit_finding(int confidence, const FindingText& text) {
    const ts_finding raw{
        sizeof(ts_finding),     confidence,          to_abi(text.rule),     to_abi(text.category),
        to_abi(text.title),     to_abi(text.detail), to_abi(text.position), to_abi(text.record_kind),
        to_abi(text.record_key)};
    host_->emit_finding(job_, &raw);
  }
  void emit_problem(std::string_view kind, std::string_view message) {
    host_->emit_problem(job_, to_abi(kind), to_abi(message));
  }
  /// False: a limit was reached, stop.
  bool emit_member(const ts_member& member) { return host_->emit_member(job_, &member) == 0; }
  bool emit_member_data(std::uint32_t ordinal, ts_pull pull, void* context) {
    return host_->emit_member_data(job_, ordinal, pull, context) == 0;
  }
  void emit_text(std::string_view text) { host_->emit_text(job_, to_abi(text)); }
  void emit_picture(const ts_picture& picture) { host_->emit_picture(job_, &picture); }
  /// Calls `each(plugin, finding)` for what earlier plugins found of this content; it returns false to stop.
  template <typename Each>
  void findings(Each each) const {
    host_->findings(
        job_,
        [](void* context, ts_str plugin, const ts_finding* finding) {
          return (*static_cast<Each*>(context))(from_abi(plugin), *finding) ? 0 : 1;
        },
        &each);
  }
  void fail(std::string_view reason) { host_->fail(host_, job_, to_abi(reason)); }
  ts_job* raw() const { return job_; }
  const ts_host_v1* host() const { return host_; }

 private:
  const ts_host_v1* host_;
  ts_job* job_;
};

/// Derive, override what `inputs` and `roles` name, and end the file with TOUCHSTONE_PLUGIN(Class).
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual ts_status begin(Job&) { return TS_OK; }
  virtual ts_status data(Job&, std::uint64_t /*offset*/, std::span<const std::uint8_t>) { return TS_OK; }
  virtual ts_status text(Job&, std::uint64_t /*offset*/, std::size_t /*overlap*/, std::string_view) {
    return TS_OK;
  }
  virtual ts_status records(Job&, std::span<const ts_record>) { return TS_OK; }
  virtual ts_status finish(Job&) { return TS_OK; }
  virtual ts_status list(Job&) { return TS_UNSUPPORTED; }
  virtual ts_status extract(Job&, std::uint32_t /*first*/, std::uint32_t /*count*/) { return TS_UNSUPPORTED; }
  virtual ts_status provide(Job&, ts_facet) { return TS_UNSUPPORTED; }
};

namespace detail {

/// Runs `call`, turning every exception into a status and a reason.
template <typename Call>
ts_status guarded(const ts_host_v1* host, ts_job* job, Call call) noexcept {
  const auto fail = [&](const char* reason) { host->fail(host, job, to_abi(reason ? reason : "")); };
  try {
    return call();
  } catch (const ModelMissing& e) {
    fail(e.what());
    return TS_MODEL_MISSING;
  } catch (const Failure& e) {
    fail(e.what());
    return e.status;
  } catch (const std::bad_alloc&) {
    fail("out of memory");
    return TS_MEMORY;
  } catch (const std::exception& e) {
    fail(e.what());
    return TS_ERROR;
  } catch (...) {
    fail("an exception of unknown type");
    return TS_ERROR;
  }
}

template <typename Class>
struct Thunks {
  struct Instance {
    const ts_host_v1* host;
    Class plugin;
    explicit Instance(const ts_host_v1* h, Setup& setup) : host(h), plugin(setup) {}
  };
  static Plugin& of(void* self) { return static_cast<Instance*>(self)->plugin; }
  static const ts_host_v1* host(void* self) { return static_cast<Instance*>(self)->host; }

  template <typename Call>
  static ts_status run(void* self, ts_job* job, Call call) {
    return guarded(host(self), job, [&] {
      Job face(host(self), job);
      return call(of(self), face);
    });
  }

  static ts_status create(const ts_host_v1* host, void** self) {
    return guarded(host, nullptr, [&] {
      Setup setup(host);
      *self = new Instance(host, setup);  // NOLINT(cppcoreguidelines-owning-memory): freed in destroy()
      return TS_OK;
    });
  }
  static void destroy(void* self) { delete static_cast<Instance*>(self); }
  static ts_status begin(void* self, ts_job* job) {
    return run(self, job, [](Plugin& p, Job& j) { return p.begin(j); });
  }
  static ts_status data(void* self, ts_job* job, std::uint64_t offset, ts_bytes bytes) {
    return run(self, job, [&](Plugin& p, Job& j) { return p.data(j, offset, {bytes.data, bytes.size}); });
  }
  static ts_status text(void* self, ts_job* job, std::uint64_t offset, std::size_t overlap, ts_str window) {
    return run(self, job, [&](Plugin& p, Job& j) { return p.text(j, offset, overlap, from_abi(window)); });
  }
  static ts_status records(void* self, ts_job* job, const ts_record* records, std::size_t count) {
    return run(self, job, [&](Plugin& p, Job& j) { return p.records(j, {records, count}); });
  }
  static ts_status finish(void* self, ts_job* job) {
    return run(self, job, [](Plugin& p, Job& j) { return p.finish(j); });
  }
  static ts_status list(void* self, ts_job* job) {
    return run(self, job, [](Plugin& p, Job& j) { return p.list(j); });
  }
  static ts_status extract(void* self, ts_job* job, std::uint32_t first, std::uint32_t count) {
    return run(self, job, [&](Plugin& p, Job& j) { return p.extract(j, first, count); });
  }
  static ts_status provide(void* self, ts_job* job, ts_facet facet) {
    return run(self, job, [&](Plugin& p, Job& j) { return p.provide(j, facet); });
  }

  static const ts_plugin_v1* table() {
    static constexpr Manifest kM = Class::kManifest;
    static constexpr ts_plugin_v1 kTable{
        sizeof(ts_plugin_v1),
        TS_ABI_MAJOR,
        TS_ABI_MINOR,
        kM.name,
        kM.version,
        kM.summary,
        kM.licence,
        kM.roles,
        kM.scope,
        kM.inputs,
        kM.costly ? 1U : 0U,
        kM.provides,
        {kM.media_types, kM.name_globs, kM.min_size, kM.max_size, kM.record_kinds},
        kM.after,
        create,
        destroy,
        begin,
        data,
        text,
        records,
        finish,
        list,
        extract,
        provide};
    return &kTable;
  }
};

}  // namespace detail
}  // namespace touchstone

#define TOUCHSTONE_PLUGIN(Class)                                                                 \
  extern "C" __attribute__((visibility("default"))) const ts_plugin_v1* touchstone_plugin_v1() { \
    return ::touchstone::detail::Thunks<Class>::table();                                         \
  }
