#include "support/plugin_host.hpp"

#include <dlfcn.h>
#include <fnmatch.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "content/text.hpp"
#include "evidence/byte_source.hpp"
#include "support/plugin_host_job.hpp"

struct ts_source {
  const std::string* bytes;
};

namespace touchstone::test {
namespace {

std::string text_of(ts_str text) {
  return text.data ? std::string(text.data, text.size) : std::string();
}
ts_str view(const std::string& text) {
  return {text.data(), text.size()};
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 15U];
  }
  return out;
}

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), kind, nullptr);
  }
  void update(const void* bytes, std::size_t size) { EVP_DigestUpdate(context_.get(), bytes, size); }
  std::string finish() {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), out, &size);
    return hex(out, size);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string digest(const std::string& bytes, const EVP_MD* kind) {
  Digest digest(kind);
  digest.update(bytes.data(), bytes.size());
  return digest.finish();
}

std::uint64_t size_of(const TestItem& item) {
  return item.read_at ? item.size : item.bytes.size();
}

std::int64_t read_from(const std::string& bytes, std::uint64_t offset, std::uint8_t* out,
                       std::size_t capacity) {
  if (offset >= bytes.size()) return 0;
  const std::size_t count = std::min<std::uint64_t>(capacity, bytes.size() - offset);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, out);
  return static_cast<std::int64_t>(count);
}

std::int64_t read_item(const TestItem& item, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
  return item.read_at ? item.read_at(offset, out, capacity) : read_from(item.bytes, offset, out, capacity);
}

Value value_of(const ts_value& value) {
  switch (value.kind) {
    case TS_INTEGER:
      return value.integer;
    case TS_REAL:
      return value.real;
    case TS_TEXT:
    case TS_BLOB:
      return text_of(value.text);
    default:
      return std::monostate();
  }
}

ts_value to_value(const Value& value) {
  ts_value out{TS_NULL, 0, 0, {nullptr, 0}};
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out.kind = TS_INTEGER;
    out.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&value)) {
    out.kind = TS_REAL;
    out.real = *real;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.kind = TS_TEXT;
    out.text = view(*text);
  }
  return out;
}

bool matches_list(const char* const* patterns, const std::string& text, int flags) {
  if (!patterns || !*patterns) return true;
  for (; *patterns; ++patterns) {
    if (fnmatch(*patterns, text.c_str(), flags) == 0) return true;
  }
  return false;
}

ts_str emit_record(ts_job* job, ts_str kind, ts_str app, ts_str source_table, ts_str source_row,
                   const ts_field* fields, std::size_t count) {
  Record record;
  record.kind = text_of(kind);
  record.key = record.kind + '|' + job->locator + '|' + text_of(source_table) + '|' + text_of(source_row);
  for (std::size_t i = 0; i < count; ++i)
    record.fields.emplace_back(text_of(fields[i].name), value_of(fields[i].value));
  // As the program's own host: what the plugin says itself stands.
  const std::pair<const char*, ts_str> more[] = {
      {"app", app}, {"source_table", source_table}, {"source_row", source_row}};
  for (const auto& [name, value] : more)
    if (!record.find(name)) record.fields.emplace_back(name, text_of(value));
  job->outcome.records.push_back(record);
  job->answer = record.key;
  return view(job->answer);
}

void emit_finding(ts_job* job, const ts_finding* f) {
  job->outcome.findings.push_back({job->plugin->name, text_of(f->rule), text_of(f->category),
                                   text_of(f->title), text_of(f->detail), text_of(f->position),
                                   text_of(f->record_kind), text_of(f->record_key), f->confidence});
}

int emit_member(ts_job* job, const ts_member* m) {
  if (job->outcome.members.size() >= job->item->max_members) return 1;
  TestMember member{m->ordinal,           text_of(m->path),     m->size,      m->packed_size,
                    m->is_directory != 0, m->is_encrypted != 0, std::nullopt, m->time_basis};
  if (m->has_modified) member.modified = m->modified;
  if (m->struct_size >= sizeof(ts_member) && m->is_carved) {
    member.is_carved = true;
    member.confidence = m->confidence;
    member.offset = m->offset;
    member.length = m->length;
    member.detail = text_of(m->detail);
  }
  job->outcome.members.push_back(std::move(member));
  return 0;
}

int emit_member_data(ts_job* job, std::uint32_t ordinal, ts_pull pull, void* context) {
  std::vector<std::uint8_t> block(64 * 1024);
  Digest sha256(EVP_sha256());
  TestMemberData& data = job->outcome.data[ordinal];
  int rc = 0;
  while (true) {
    const std::int64_t got = pull(context, block.data(), block.size());
    data.damaged = got < 0;
    if (got <= 0) break;
    EXPECT_LE(static_cast<std::size_t>(got), block.size());
    const auto count = static_cast<std::size_t>(got);
    sha256.update(block.data(), count);
    data.size += count;
    job->member_bytes += count;
    if (data.bytes.size() < kKeptMemberBytes)
      data.bytes.append(reinterpret_cast<const char*>(block.data()), count);
    if (job->member_bytes > job->item->max_member_bytes) {
      rc = 1;
      break;
    }
  }
  data.sha256 = sha256.finish();
  return rc;
}

void tell_findings(ts_job* job, int (*each)(void*, ts_str, const ts_finding*), void* context) {
  for (const TestFinding& f : job->item->earlier) {
    const ts_finding raw{sizeof(ts_finding), f.confidence,        view(f.rule),
                         view(f.category),   view(f.title),       view(f.detail),
                         view(f.position),   view(f.record_kind), view(f.record_key)};
    if (each(context, view(f.plugin), &raw)) return;
  }
}

ts_status give_picture(ts_job* job, std::uint32_t, ts_picture* out) {
  const auto& picture = job->item->picture;
  if (!picture) return TS_UNSUPPORTED;
  *out = {sizeof(ts_picture),
          picture->width,
          picture->height,
          picture->source_width ? picture->source_width : picture->width,
          picture->source_height ? picture->source_height : picture->height,
          picture->pixels.data()};
  return TS_OK;
}

void take_picture(ts_job* job, const ts_picture* p) {
  TestPicture picture{p->width, p->height, p->source_width, p->source_height, {}};
  picture.pixels.assign(p->pixels, p->pixels + std::size_t{3} * p->width * p->height);
  job->outcome.picture = std::move(picture);
}

bool item_scope(const ts_job* job) {
  return job->plugin->scope == TS_SCOPE_ITEM;
}

ts_source* open_neighbour(ts_job* job, ts_str relative_path) {
  const auto found = job->item->neighbours.find(text_of(relative_path));
  if (!item_scope(job) || found == job->item->neighbours.end()) return nullptr;
  return new ts_source{&found->second};  // freed by neighbour_close
}

ts_str give_digest(ts_job* job, ts_str algorithm) {
  const std::string name = text_of(algorithm);
  return view(name == "md5"      ? job->md5
              : name == "sha1"   ? job->sha1
              : name == "sha256" ? job->sha256
                                 : job->answer = "");
}

/// The bytes of an item as a ByteSource, for convert_text().
class ItemSource final : public ByteSource {
 public:
  explicit ItemSource(const TestItem& item) : item_(item) {}
  std::uint64_t size() const override { return size_of(item_); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const auto got = read_item(item_, offset, reinterpret_cast<std::uint8_t*>(out.data()), out.size());
    if (got < 0) return Error{ErrorCode::io, "cannot be read"};
    return static_cast<std::size_t>(got);
  }

 private:
  const TestItem& item_;
};

/// The first status that is neither TS_OK nor TS_DONE is kept; true while more input is wanted.
bool note(ts_job& job, ts_status status) {
  if (job.outcome.status == TS_OK && status != TS_DONE) job.outcome.status = status;
  return status == TS_OK;
}

bool feed_data(const ts_plugin_v1& table, void* self, ts_job& job) {
  std::vector<std::uint8_t> block(std::max<std::size_t>(job.item->piece, 1));
  for (std::uint64_t offset = 0; offset < size_of(*job.item);) {
    const auto got = read_item(*job.item, offset, block.data(), block.size());
    if (got <= 0) break;
    if (!note(job, table.data(self, &job, offset, {block.data(), static_cast<std::size_t>(got)})))
      return false;
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

bool feed_text(const ts_plugin_v1& table, void* self, ts_job& job) {
  if (job.item->no_text) return true;
  bool wanted = true;
  TextWindows windows([&](std::uint64_t offset, std::size_t overlap, std::string_view window) {
    return wanted = note(job, table.text(self, &job, offset, overlap, {window.data(), window.size()}));
  });
  if (job.item->text) {
    windows.push(*job.item->text);
    windows.finish();
    return wanted;
  }
  std::string head(64 * 1024, '\0');
  const auto got = read_item(*job.item, 0, reinterpret_cast<std::uint8_t*>(head.data()), head.size());
  head.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  const std::string encoding = detect_text_encoding(head, job.item->media_type);
  if (encoding.empty()) return true;
  ItemSource source(*job.item);
  if (auto converted = convert_text(source, encoding, windows); !converted)
    ADD_FAILURE() << converted.error().message;
  return wanted;
}

bool feed_records(const ts_plugin_v1& table, void* self, ts_job& job) {
  constexpr std::size_t kBatch = 1000;
  const auto& records = job.item->records;
  for (std::size_t first = 0; first < records.size(); first += kBatch) {
    const std::size_t end = std::min(records.size(), first + kBatch);
    std::vector<std::vector<ts_field>> fields;
    std::vector<ts_record> batch;
    for (std::size_t i = first; i < end; ++i) {
      auto& row = fields.emplace_back();
      for (const auto& [name, value] : records[i].fields) row.push_back({view(name), to_value(value)});
    }
    for (std::size_t i = first; i < end; ++i) {
      const auto& row = fields[i - first];
      batch.push_back({view(records[i].kind), view(records[i].key), row.data(), row.size()});
    }
    if (!note(job, table.records(self, &job, batch.data(), batch.size()))) return false;
  }
  return true;
}

}  // namespace

/// The table, with the way back to its PluginHost: the table is the first member, so its address is the
/// object's.
struct PluginHost::Services {
  ts_host_v1 table{};
  PluginHost* owner = nullptr;
};

struct HostTable {
  static PluginHost& owner(const ts_host_v1* host) {
    return *reinterpret_cast<const PluginHost::Services*>(host)->owner;
  }

  static void fill(PluginHost& owner) {
    ts_host_v1& host = owner.services_->table;
    host.struct_size = sizeof(ts_host_v1);
    host.abi_major = TS_ABI_MAJOR;
    host.abi_minor = TS_ABI_MINOR;
    host.settings = [](const ts_host_v1* h) { return view(HostTable::owner(h).settings_); };
    host.log = [](const ts_host_v1* h, ts_str line) { HostTable::owner(h).log_.push_back(text_of(line)); };
    host.declare_rule = [](const ts_host_v1* h, ts_str rule, ts_str version, ts_str title) {
      HostTable::owner(h).rules_.push_back({text_of(rule), text_of(version), text_of(title)});
    };
    host.fail = [](const ts_host_v1* h, ts_job* job, ts_str reason) {
      (job ? job->outcome.reason : HostTable::owner(h).create_reason_) = text_of(reason);
    };
    add_inputs(host);
    add_query_services(host);
    add_outputs(host);
  }

  static void add_inputs(ts_host_v1& host) {
    host.size = [](ts_job* job) { return size_of(*job->item); };
    host.read_at = [](ts_job* job, std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
      return read_item(*job->item, offset, out, capacity);
    };
    host.media_type = [](ts_job* job) { return view(job->item->media_type); };
    host.digest = give_digest;
    host.cancelled = [](ts_job* job) { return job->item->cancelled ? 1 : 0; };
    host.path = [](ts_job* job) { return item_scope(job) ? view(job->item->path) : ts_str{"", 0}; };
    host.locator = [](ts_job* job) { return item_scope(job) ? view(job->locator) : ts_str{"", 0}; };
    host.neighbour_open = open_neighbour;
    host.neighbour_size = [](ts_source* source) -> std::uint64_t { return source->bytes->size(); };
    host.neighbour_read_at = [](ts_source* source, std::uint64_t offset, std::uint8_t* out,
                                std::size_t capacity) {
      return read_from(*source->bytes, offset, out, capacity);
    };
    host.neighbour_close = [](ts_source* source) { delete source; };
    host.picture = give_picture;
    host.findings = tell_findings;
  }

  static void add_outputs(ts_host_v1& host) {
    host.emit_record = emit_record;
    host.emit_finding = emit_finding;
    host.emit_problem = [](ts_job* job, ts_str kind, ts_str message) {
      EXPECT_TRUE(parse_problem_kind(text_of(kind))) << text_of(kind);
      job->outcome.problems.push_back({text_of(kind), text_of(message)});
    };
    host.emit_member = emit_member;
    host.emit_member_data = emit_member_data;
    host.emit_text = [](ts_job* job, ts_str text) { job->outcome.text += text_of(text); };
    host.emit_picture = take_picture;
  }

  static ts_job job(const PluginHost& owner, const TestItem& item) {
    ts_job job;
    job.item = &item;
    job.plugin = owner.table_;
    job.locator = item.locator.empty() ? "T/1:p0" + item.path : item.locator;
    if (!item.read_at || !item.bytes.empty()) {
      job.md5 = digest(item.bytes, EVP_md5());
      job.sha1 = digest(item.bytes, EVP_sha1());
      job.sha256 = digest(item.bytes, EVP_sha256());
    }
    return job;
  }
};

std::unique_ptr<PluginHost> PluginHost::open(const std::string& path, const std::string& settings) {
  // Never closed: a plugin's thread-local and static destructors may run after the last test.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    ADD_FAILURE() << dlerror();
    return nullptr;
  }
  using Entry = const ts_plugin_v1* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "touchstone_plugin_v1"));
  if (!entry) {
    ADD_FAILURE() << path << " has no touchstone_plugin_v1";
    return nullptr;
  }
  return of(entry(), settings);
}

std::unique_ptr<PluginHost> PluginHost::of(const ts_plugin_v1* table, const std::string& settings) {
  std::unique_ptr<PluginHost> host(new PluginHost);
  host->table_ = table;
  host->settings_ = settings;
  host->services_ = std::make_unique<Services>();
  host->services_->owner = host.get();
  HostTable::fill(*host);
  host->create_status_ = table->create(&host->services_->table, &host->self_);
  return host;
}

std::unique_ptr<PluginHost> PluginHost::load(const std::string& name, const std::string& settings) {
  auto host = open(std::string(TOUCHSTONE_BINARY_DIR) + "/plugins/" + name + ".tsp", settings);
  if (host && host->create_status() != TS_OK) {
    ADD_FAILURE() << name << ": create() gave " << host->create_status() << ": " << host->create_reason();
    return nullptr;
  }
  return host;
}

PluginHost::~PluginHost() {
  if (self_) table_->destroy(self_);
}

bool PluginHost::matches(const TestItem& item) const {
  const ts_matcher& matcher = table_->matcher;
  const std::uint64_t size = size_of(item);
  if (size < matcher.min_size || (matcher.max_size && size > matcher.max_size)) return false;
  if (!matches_list(matcher.media_types, item.media_type, 0)) return false;
  if (table_->scope == TS_SCOPE_ITEM && !matches_list(matcher.name_globs, item.path, FNM_CASEFOLD))
    return false;
  if (!matcher.record_kinds || !*matcher.record_kinds) return true;
  return std::any_of(item.records.begin(), item.records.end(), [&](const Record& record) {
    return matches_list(matcher.record_kinds, record.kind, 0);
  });
}

Outcome PluginHost::examine(const TestItem& item) {
  ts_job job = HostTable::job(*this, item);
  bool more = note(job, table_->begin(self_, &job));
  if (more && (table_->inputs & TS_INPUT_DATA)) more = feed_data(*table_, self_, job);
  if (more && (table_->inputs & TS_INPUT_TEXT)) more = feed_text(*table_, self_, job);
  if (more && (table_->inputs & TS_INPUT_RECORDS)) feed_records(*table_, self_, job);
  note(job, table_->finish(self_, &job));
  return std::move(job.outcome);
}

Outcome PluginHost::list(const TestItem& item) {
  ts_job job = HostTable::job(*this, item);
  note(job, table_->list(self_, &job));
  return std::move(job.outcome);
}

Outcome PluginHost::extract(const TestItem& item, std::uint32_t first, std::uint32_t count) {
  ts_job job = HostTable::job(*this, item);
  note(job, table_->extract(self_, &job, first, count));
  return std::move(job.outcome);
}

Outcome PluginHost::provide(const TestItem& item, ts_facet facet) {
  ts_job job = HostTable::job(*this, item);
  note(job, table_->provide(self_, &job, facet));
  return std::move(job.outcome);
}

std::vector<std::string> built_plugins() {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TOUCHSTONE_BINARY_DIR) + "/plugins", error)) {
    if (entry.path().extension() == ".tsp") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace touchstone::test
