#include "plugin/loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

namespace touchstone {
namespace {

namespace fs = std::filesystem;

std::string file_sha256(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  std::array<char, 65536> block{};
  while (in.read(block.data(), block.size()), in.gcount() > 0) {
    EVP_DigestUpdate(context, block.data(), static_cast<std::size_t>(in.gcount()));
  }
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Why this table cannot be used with this host; empty if it can.
std::string refusal(const ts_plugin_v1* table, const std::string& file_name) {
  // The first three members are read by every version of the interface, so they can be looked at safely.
  if (!table) return "touchstone_plugin_v1() returned nothing";
  if (table->abi_major != TS_ABI_MAJOR || table->abi_minor > TS_ABI_MINOR) {
    return fmt::format("built for plugin interface {}.{}, this program has {}.{}: build it again",
                       table->abi_major, table->abi_minor, TS_ABI_MAJOR, TS_ABI_MINOR);
  }
  if (table->struct_size < sizeof(ts_plugin_v1))
    return "its table is too short for the interface version it names";
  if (!table->name || !table->version || !table->summary || !table->licence)
    return "name, version, summary or licence is missing";
  if (file_name != table->name)
    return fmt::format("the file is named {} but the plugin {}", file_name, table->name);
  if (!is_plugin_name(table->name)) return "a plugin's name is lower-case letters, digits and '_'";
  if (table->roles == 0 || table->roles > 7) return "it names no role";
  if (!table->create || !table->destroy || !table->begin || !table->finish)
    return "create, destroy, begin or finish is missing";
  if ((table->inputs & TS_INPUT_DATA) && !table->data) return "it asks for data but has no data()";
  if ((table->inputs & TS_INPUT_TEXT) && !table->text) return "it asks for text but has no text()";
  if ((table->inputs & TS_INPUT_RECORDS) && !table->records)
    return "it asks for records but has no records()";
  if ((table->inputs & TS_INPUT_MEMBERS) && (!table->list || !table->extract))
    return "a container reader needs list() and extract()";
  if ((table->roles & TS_ROLE_PROVIDER) && (!table->provide || !table->provides))
    return "a provider needs provide() and what it provides";
  return {};
}

std::string program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return program.parent_path().string();
}

/// The root of the build tree the program stands in (cli/touchstone, tests/unit/x …), or empty when
/// installed.
fs::path build_root() {
  std::error_code error;
  if (fs::exists(fs::path(program_folder()).parent_path() / TOUCHSTONE_LIBDIR / "touchstone" / "plugins",
                 error))
    return {};
  fs::path folder = program_folder();
  for (int up = 0; up < 4 && folder.has_relative_path(); ++up, folder = folder.parent_path()) {
    if (fs::exists(folder / "CMakeCache.txt")) return folder;
  }
  return {};
}

/// Value of an entry of the build tree's cache.
std::string cache_entry(const fs::path& build, std::string_view name) {
  std::ifstream in(build / "CMakeCache.txt");
  const std::string start = std::string(name) + ":";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(start)) return line.substr(line.find('=') + 1);
  }
  return {};
}

int stage_of(const ts_plugin_v1& table) {
  if ((table.roles & TS_ROLE_EXTRACTOR) != 0) return 1;
  if ((table.roles & TS_ROLE_CLASSIFIER) != 0) return table.inputs == TS_INPUT_NONE && !table.costly ? 0 : 2;
  return 3;
}

}  // namespace

std::vector<std::string> plugin_folders(const std::vector<std::string>& extra) {
  std::vector<std::string> folders = extra;
  if (const fs::path build = build_root(); !build.empty()) {
    folders.push_back((build / "plugins").string());
  } else {
    folders.push_back(
        (fs::path(program_folder()).parent_path() / TOUCHSTONE_LIBDIR / "touchstone" / "plugins").string());
  }
  return folders;
}

std::string data_folder() {
  if (const fs::path build = build_root(); !build.empty()) {
    std::string source = cache_entry(build, "touchstone_SOURCE_DIR");
    if (!source.empty() && fs::exists(fs::path(source) / "rules")) return source;
  }
  return (fs::path(program_folder()).parent_path() / "share" / "touchstone").string();
}

PluginFile load_plugin(const std::string& path) {
  PluginFile file;
  file.path = path;
  file.name = fs::path(path).stem().string();
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    file.error = "not a file";
    return file;
  }
  if ((info.st_mode & S_IWOTH) != 0) {
    file.error = "anybody may write to it: chmod o-w it if you trust what it holds";
    return file;
  }
  file.sha256 = file_sha256(path);
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) {
    const char* why = dlerror();
    file.error = why ? why : "cannot be loaded";
    return file;
  }
  using Entry = const ts_plugin_v1* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(object, "touchstone_plugin_v1"));
  if (!entry) {
    file.error = "it has no function touchstone_plugin_v1";
    return file;
  }
  const ts_plugin_v1* table = entry();
  file.error = refusal(table, file.name);
  if (file.error.empty()) file.table = table;
  return file;
}

std::vector<PluginFile> load_plugins(const std::vector<std::string>& folders) {
  std::map<std::string, PluginFile> found;
  for (const std::string& folder : folders) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".tsp") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      if (!found.contains(path.stem().string()))
        found.emplace(path.stem().string(), load_plugin(path.string()));
    }
  }
  std::vector<PluginFile> plugins;
  plugins.reserve(found.size());
  for (auto& [name, file] : found) plugins.push_back(std::move(file));
  return plugins;
}

std::vector<const PluginFile*> order_plugins(const std::vector<PluginFile>& plugins,
                                             std::vector<std::string>* cycle) {
  std::map<std::string, const PluginFile*> open;
  for (const PluginFile& plugin : plugins) {
    if (plugin.usable()) open.emplace(plugin.name, &plugin);
  }
  const auto waits = [&](const ts_plugin_v1& table) {
    for (const char* const* after = table.after; after && *after; ++after) {
      if (open.contains(*after)) return true;
    }
    return false;
  };
  std::vector<const PluginFile*> order;
  while (!open.empty()) {
    const PluginFile* next = nullptr;
    for (const auto& [name, plugin] : open) {
      if (waits(*plugin->table)) continue;
      if (!next || stage_of(*plugin->table) < stage_of(*next->table)) next = plugin;
    }
    if (!next) {
      for (const auto& [name, plugin] : open) {
        if (cycle) cycle->push_back(name);
      }
      break;
    }
    order.push_back(next);
    open.erase(next->name);
  }
  return order;
}

std::string roles_text(std::uint32_t roles) {
  std::string text;
  const auto add = [&](std::uint32_t role, const char* name) {
    if ((roles & role) == 0) return;
    if (!text.empty()) text += ", ";
    text += name;
  };
  add(TS_ROLE_PROVIDER, "provider");
  add(TS_ROLE_EXTRACTOR, "extractor");
  add(TS_ROLE_CLASSIFIER, "classifier");
  return text;
}

}  // namespace touchstone
