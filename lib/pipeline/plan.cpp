// What is decided before a run begins: exhibits, rules, plugins and their settings, the fingerprint.
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core/version.hpp>
#include <set>
#include <thread>

#include "content/content.hpp"
#include "evidence/exhibit_source.hpp"
#include "filesystem/versions.hpp"
#include "pipeline/apart.hpp"
#include "pipeline/folder_digest.hpp"
#include "pipeline/triage_state.hpp"
#include "rules/app_definition.hpp"
#include "rules/keyword_matcher.hpp"
#include "rules/order_rules.hpp"
#include "rules/ranking_rules.hpp"
#include "rules/scope.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Names that DESIGN reserves: known to the command line even where the plugin is not installed.
constexpr const char* kKnownPlugins[] = {"hashes",  "keywords", "patterns", "archives", "documents",
                                         "mail",    "pictures", "video",    "explicit", "faces",
                                         "objects", "ocr",      "appdata",  "carving",  "thumbnails"};
// Samples of an exhibit's files for the fingerprint: the whole is checked by its verification.
constexpr int kSamples = 64;
constexpr std::size_t kSampleBytes = 64 * 1024;

Error invalid(std::string message) {
  return {ErrorCode::invalid, std::move(message)};
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const fs::path full = fs::weakly_canonical(path, error);
  return error ? fs::absolute(path).string() : full.string();
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [mismatch, end] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return mismatch == folder.end();
}

Status plan_exhibits(Triage::State& state) {
  std::vector<ExhibitOption> wanted = state.options.exhibits;
  if (state.case_file && wanted.empty()) {
    for (const CaseExhibit& each : state.case_file->exhibits)
      wanted.push_back({each.ref, each.path, each.role});
  }
  if (wanted.empty())
    return invalid("no exhibit: name an image, or a case file that has [[exhibit]] entries");
  std::set<std::string> refs;
  for (ExhibitOption& option : wanted) {
    ExhibitPlan plan;
    plan.ref = option.ref.empty() ? fs::path(option.path).filename().string() : option.ref;
    if (plan.ref.empty() || plan.ref.size() > 200 || plan.ref.find_first_of(":\n\r\t") != std::string::npos) {
      return invalid(
          fmt::format("\"{}\" cannot be an exhibit's reference: it must be text without ':'", plan.ref));
    }
    if (!refs.insert(plan.ref).second)
      return invalid(fmt::format("two exhibits are called {}: give them references, REF=PATH", plan.ref));
    plan.path = absolute(option.path);
    plan.role = option.role;
    plan.time_zone = state.case_file ? state.case_file->time_zone : "Europe/London";
    const CaseExhibit* known = state.case_file ? state.case_file->exhibit(plan.ref) : nullptr;
    if (known) {
      if (plan.role == Role::unknown) plan.role = known->role;
      if (!known->time_zone.empty()) plan.time_zone = known->time_zone;
    }
    auto files = state.options.sandbox ? list_exhibit_files_apart(plan.path) : list_exhibit_files(plan.path);
    if (files) {
      plan.files = files.take();
    } else {
      plan.error = files.error().message;
      plan.files = {plan.path};
    }
    for (const std::string& file : plan.files) plan.stamps.push_back(stamp_of(file));
    state.exhibits.push_back(std::move(plan));
  }
  return {};
}

/// A folder that a run made and left before it had a case database, or an empty one.
bool is_barely_begun(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != "log" && name != ".lock" && !name.starts_with("case.db-")) return false;
  }
  return true;
}

Status check_output_folder(const Triage::State& state) {
  const fs::path out = absolute(state.options.out);
  for (const ExhibitPlan& exhibit : state.exhibits) {
    for (const std::string& file : exhibit.files) {
      const fs::path path = absolute(file);
      if (fs::is_directory(path) && lies_in(out, path)) {
        return invalid(fmt::format("the output folder {} lies inside the exhibit {}: choose another place",
                                   out.string(), exhibit.path));
      }
      if (lies_in(path, out)) {
        return invalid(fmt::format("the exhibit {} lies inside the output folder {}: choose another place",
                                   file, out.string()));
      }
    }
  }
  std::error_code error;
  for (fs::path folder = out.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (!fs::exists(folder / "case.db", error)) continue;
    return invalid(fmt::format("the output folder {} lies inside the case folder {}: choose another place",
                               out.string(), folder.string()));
  }
  if (fs::exists(out, error) && !fs::is_directory(out, error))
    return invalid(out.string() + " is not a folder");
  if (fs::is_directory(out, error) && !fs::exists(out / "case.db", error) && !is_barely_begun(out)) {
    return invalid(
        fmt::format("{} exists and is not a folder of this program: it is only resumed, never overwritten",
                    out.string()));
  }
  return {};
}

Status check_scope(const Triage::State& state) {
  auto defaults = load_scope_defaults(state.rules_dir);
  if (!defaults) return defaults.error();
  auto apps = load_app_definitions(state.rules_dir);
  if (!apps) return apps.error();
  auto order = load_order_rules(state.rules_dir);
  if (!order) return order.error();
  auto ranking = load_ranking_rules(state.rules_dir);
  if (!ranking) return ranking.error();
  if (state.case_file) {
    std::vector<std::string> ids;
    for (const AppDefinition& app : *apps) ids.push_back(app.info.id);
    if (auto checked = check_exhibits(*state.case_file, *defaults, &ids); !checked) return checked;
  }
  for (const ExhibitPlan& exhibit : state.exhibits) {
    const CaseExhibit* known = state.case_file ? state.case_file->exhibit(exhibit.ref) : nullptr;
    auto rules = ScopeRules::make(state.case_file.get(), known, exhibit.role, *defaults);
    if (!rules)
      return Error{
          ErrorCode::invalid,
          known ? rules.error().message : fmt::format("exhibit {}: {}", exhibit.ref, rules.error().message)};
  }
  return {};
}

Status choose_plugins(Triage::State& state) {
  state.plugin_files = load_plugins(plugin_folders(state.options.plugin_path));
  std::set<std::string> installed, wanted(state.options.only.begin(), state.options.only.end());
  for (const PluginFile& file : state.plugin_files) installed.insert(file.name);
  for (const auto* list : {&state.options.only, &state.options.without}) {
    for (const std::string& name : *list) {
      if (installed.contains(name)) continue;
      if (std::find(std::begin(kKnownPlugins), std::end(kKnownPlugins), name) == std::end(kKnownPlugins)) {
        return invalid(fmt::format("there is no plugin {}: see touchstone plugins list", name));
      }
      state.notes.push_back(fmt::format("the plugin {} is not installed", name));
    }
  }
  std::vector<std::string> cycle;
  for (const PluginFile* file : order_plugins(state.plugin_files, &cycle)) {
    if (!wanted.empty() && !wanted.contains(file->name)) continue;
    const auto& without = state.options.without;
    if (std::find(without.begin(), without.end(), file->name) != without.end()) continue;
    state.plugins.push_back(file);
  }
  for (const PluginFile& file : state.plugin_files) {
    if (!file.error.empty())
      state.notes.push_back(fmt::format("plugin {} cannot be used: {}", file.path, file.error));
  }
  for (const std::string& name : cycle)
    state.notes.push_back(fmt::format("plugin {} waits for itself: left out", name));
  return {};
}

/// Where the explicit plugin's model may lie.
std::string find_model(const std::string& name) {
  std::vector<fs::path> folders;
  if (const char* set = std::getenv("TOUCHSTONE_MODELS")) folders.emplace_back(set);
  folders.push_back(fs::path(data_folder()) / "build" / "models");
  folders.push_back(fs::path(data_folder()) / "models");
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (fs::exists(folder / name, error)) return (folder / name).string();
  }
  return (folders.front() / name).string();
}

/// Checks the packs and compiles them once for all workers and later runs. Gives the folder they are kept in.
Result<std::string> prepare_keywords(const std::vector<std::string>& files) {
  std::vector<KeywordPack> packs;
  for (const std::string& path : files) {
    auto pack = load_keyword_pack(path);
    if (!pack) return pack.error();
    packs.push_back(pack.take());
  }
  std::string cache = cache_folder();
  const KeywordSearches searches = keyword_searches(cache);
  for (KeywordMatcher::Options options : {searches.text, searches.fields, searches.raw}) {
    if (packs.empty() || cache.empty()) break;
    options.fill_cache = true;
    if (auto compiled = KeywordMatcher::compile(packs, options); !compiled) return compiled.error();
  }
  return cache;
}

Result<std::string> plugin_settings(const Triage::State& state, const std::string& name,
                                    std::vector<std::string>& files) {
  json settings = json::object();
  if (name == "hashes") {
    settings["sets"] = json::array();
    for (const auto& [path, category] : state.options.hash_sets) {
      if (!fs::exists(path)) return invalid(fmt::format("{}: no such hash set", path));
      settings["sets"].push_back(
          {{"path", absolute(path)}, {"category", category}, {"name", fs::path(path).stem().string()}});
      files.push_back(absolute(path));
    }
  } else if (name == "keywords" || name == "appdata") {
    const bool keywords = name == "keywords";
    auto found = find_rule_files(state.rules_dir, keywords ? RuleKind::keywords : RuleKind::apps);
    if (!found) return found.error();
    std::vector<std::string> list = found.take();
    if (keywords) {
      for (const std::string& path : state.options.keywords) list.push_back(absolute(path));
      auto prepared = prepare_keywords(list);
      if (!prepared) return prepared.error();
      settings["cache"] = prepared.take();
    }
    settings["files"] = list;
    files.insert(files.end(), list.begin(), list.end());
  } else if (name == "explicit") {
    settings["model"] = find_model("nsfw_mobilenet_v2.onnx");
    files.push_back(settings["model"]);
  }
  return settings.dump();
}

std::string file_digest(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return "absent";
  Hasher hasher;
  std::vector<char> block(1 << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    hasher.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(in.gcount()))));
  }
  return hasher.finish().sha256;
}

/// Size and samples of a file of evidence: a changed exhibit is noticed without reading all of it.
std::string sampled_digest(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) {
    if (fd >= 0) close(fd);
    return "unreadable";
  }
  Hasher hasher;
  std::vector<char> block(kSampleBytes);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  for (int i = 0; i < kSamples; ++i) {
    const std::uint64_t last = size > kSampleBytes ? size - kSampleBytes : 0;
    const ssize_t got = pread(fd, block.data(), block.size(),
                              static_cast<off_t>(last / (kSamples - 1) * static_cast<std::uint64_t>(i)));
    if (got > 0) hasher.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(got))));
    if (i == 0 && last > 0) {  // the very end, which the steps may miss by rounding
      const ssize_t tail = pread(fd, block.data(), block.size(), static_cast<off_t>(last));
      if (tail > 0) hasher.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(tail))));
    }
  }
  close(fd);
  return fmt::format("{}:{}", size, hasher.finish().sha256);
}

std::string cpu_class() {
  // Model scores may differ in the last digit between instruction sets.
  std::string text;
#if defined(__x86_64__)
  for (const auto& [name, has] :
       {std::pair<const char*, bool>{"sse4.2", __builtin_cpu_supports("sse4.2") != 0},
        {"avx2", __builtin_cpu_supports("avx2") != 0},
        {"avx512f", __builtin_cpu_supports("avx512f") != 0}}) {
    if (has) text += fmt::format("{}{}", text.empty() ? "x86_64 " : " ", name);
  }
#endif
  return text.empty() ? "generic" : text;
}

json rule_digests(const std::string& root) {
  json digests = json::object();
  for (const RuleKind kind :
       {RuleKind::keywords, RuleKind::order, RuleKind::ranking, RuleKind::apps, RuleKind::scope}) {
    auto files = find_rule_files(root, kind);
    if (!files) continue;
    for (const std::string& path : *files) digests[fs::relative(path, root).string()] = file_digest(path);
  }
  return digests;
}

void fill_config(Triage::State& state, const std::vector<std::string>& files) {
  for (const ExhibitPlan& exhibit : state.exhibits) {
    wire::ExhibitConfig& out = *state.config.add_exhibits();
    out.set_ref(exhibit.ref);
    out.set_path(exhibit.path);
    out.set_role(to_text(exhibit.role));
    out.set_time_zone(exhibit.time_zone);
    for (const std::string& file : exhibit.files) state.config.add_readable(file);
  }
  state.config.set_case_file(state.case_text);
  state.config.set_case_file_path(state.options.case_path);
  state.config.set_rules_dir(state.rules_dir);
  state.config.set_no_free_space(!state.options.free_space);
  state.config.set_sandbox(state.options.sandbox ? "on" : "off");
  for (const std::string& file : files) state.config.add_readable(file);
  for (const PluginFile* plugin : state.plugins) state.config.add_readable(plugin->path);
  for (const char* path : {"/usr/share/zoneinfo", "/usr/lib/x86_64-linux-gnu/gconv",
                           "/usr/lib/aarch64-linux-gnu/gconv", "/etc/localtime", "/usr/share/misc",
                           "/usr/lib/file", "/etc/magic", "/usr/share/poppler", "/usr/share/tesseract-ocr"}) {
    state.config.add_readable(path);
  }
  state.config.add_readable(state.rules_dir);
}

/// Tells whether the same passwords were given, and is of no use for finding them: slow, and another for
/// other evidence.
std::string secrets_digest(const Triage::State& state, const std::string& salt) {
  constexpr int kRounds = 600'000;
  std::string all;
  for (const std::string& each : state.config.secrets()) all += std::to_string(each.size()) + ':' + each;
  std::array<unsigned char, 16> out{};
  PKCS5_PBKDF2_HMAC(all.data(), static_cast<int>(all.size()),
                    reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                    kRounds, EVP_sha256(), static_cast<int>(out.size()), out.data());
  std::string hex;
  for (const unsigned char byte : out) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

std::string components_text() {
  utsname kernel{};
  uname(&kernel);
  const json components = {
      {"touchstone", TOUCHSTONE_VERSION},
      {"sleuthkit", sleuthkit_version()},
      {"sqlite", sqlite3_libversion()},
      {"openssl", OPENSSL_VERSION_TEXT},
      {"opencv", CV_VERSION},
      {"libmagic", MediaTyper::library_version()},
      {"protobuf", std::to_string(GOOGLE_PROTOBUF_VERSION)},
      {"kernel", fmt::format("{} {} {}", kernel.sysname, kernel.release, kernel.machine)},
      {"processor", cpu_class()}};
  return components.dump();
}

std::string fingerprint_text(const Triage::State& state) {
  json text = {
      {"version", TOUCHSTONE_VERSION}, {"processor", cpu_class()}, {"case", sha256_hex(state.case_text)}};
  for (const ExhibitPlan& exhibit : state.exhibits) {
    json files = json::array();
    for (const std::string& file : exhibit.files) {
      files.push_back(fs::is_directory(file) ? folder_digest(file) : sampled_digest(file));
    }
    text["exhibits"][exhibit.ref] = {
        {"role", to_text(exhibit.role)}, {"zone", exhibit.time_zone}, {"files", files}};
  }
  if (!state.options.free_space) text["free_space"] = false;
  if (state.config.secrets_size() > 0) text["secrets"] = secrets_digest(state, text["exhibits"].dump());
  text["rules"] = rule_digests(state.rules_dir);
  for (int i = 0; i < state.config.plugins_size(); ++i) {
    const wire::PluginConfig& plugin = state.config.plugins(i);
    json settings = json::parse(plugin.settings());
    json files = json::array();
    if (settings.contains("files")) {
      for (const auto& path : settings["files"]) files.push_back(file_digest(path.get<std::string>()));
    }
    if (settings.contains("sets")) {
      for (const auto& set : settings["sets"])
        files.push_back(set["category"].get<std::string>() + ":" +
                        file_digest(set["path"].get<std::string>()));
    }
    if (settings.contains("model")) files.push_back(file_digest(settings["model"].get<std::string>()));
    text["plugins"][plugin.name()] = {{"file", state.plugins[static_cast<std::size_t>(i)]->sha256},
                                      {"uses", files}};
  }
  const json components = json::parse(state.components);
  for (const char* library : {"sleuthkit", "sqlite", "opencv", "libmagic"})
    text["libraries"][library] = components[library];
  return text.dump();
}

Status plan_triage(Triage::State& state) {
  const TriageOptions& options = state.options;
  state.rules_dir = absolute(options.rules_dir.empty() ? data_folder() + "/rules" : options.rules_dir);
  if (!fs::is_directory(state.rules_dir)) return invalid(state.rules_dir + ": the rules folder is missing");
  if (!options.case_path.empty()) {
    auto text = read_rule_file(options.case_path);
    if (!text) return text.error();
    auto parsed = load_case_file(options.case_path);
    if (!parsed) return parsed.error();
    state.case_text = text.take();
    state.case_file = std::make_unique<CaseFile>(parsed.take());
  }
  if (!options.password_file.empty()) {
    auto secrets = load_secrets(options.password_file);
    if (!secrets) return secrets.error();
    for (const std::string& each : secrets->candidates) state.config.add_secrets(each);
  }
  if (auto planned = plan_exhibits(state); !planned) return planned;
  if (auto checked = check_output_folder(state); !checked) return checked;
  if (auto checked = check_scope(state); !checked) return checked;
  if (auto chosen = choose_plugins(state); !chosen) return chosen;
  std::vector<std::string> files;
  for (const PluginFile* plugin : state.plugins) {
    auto settings = plugin_settings(state, plugin->name, files);
    if (!settings) return settings.error();
    wire::PluginConfig& out = *state.config.add_plugins();
    out.set_name(plugin->name);
    out.set_path(plugin->path);
    out.set_settings(settings.take());
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  state.jobs = options.jobs < 0 ? static_cast<int>(cores) : options.jobs;
  const std::uint64_t machine =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t memory = options.memory == 0 ? machine / 2 : options.memory;
  // Less than this and a worker cannot hold a large picture and a model at once.
  constexpr std::uint64_t kLeast = 768ULL << 20;
  state.config.set_memory(std::max(kLeast, memory / static_cast<std::uint64_t>(std::max(1, state.jobs))));
  fill_config(state, files);
  state.components = components_text();
  state.fingerprint = fingerprint_text(state);
  return {};
}

}  // namespace touchstone
