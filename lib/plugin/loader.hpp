// Finding and loading plugins: shared objects NAME.tsp with the table of plugin_abi.h. A file that cannot be
// used is a PluginFile with an error, never an exit. Loaded objects stay loaded until the process ends. One
// thread.
#pragma once

#include <touchstone/plugin_abi.h>

#include <string>
#include <vector>

namespace touchstone {

struct PluginFile {
  std::string name;  ///< file name without .tsp
  std::string path;
  std::string sha256;  ///< of the file
  const ts_plugin_v1* table = nullptr;
  std::string error;  ///< why it cannot be used; empty if it can
  bool usable() const { return table != nullptr; }
};

/// Folders that are searched: `extra` first, then the build tree's or the installed one, as the running
/// program lies.
std::vector<std::string> plugin_folders(const std::vector<std::string>& extra);
/// Loads every *.tsp of the folders, sorted by name; the first of a name wins. Files that others may write to
/// are refused. Symbolic links are followed.
std::vector<PluginFile> load_plugins(const std::vector<std::string>& folders);
/// Loads one file.
PluginFile load_plugin(const std::string& path);

/// The order in which plugins see an item: every `after` before its plugin; among equals first classifiers
/// that need nothing but digests, then extractors, then other classifiers, then by name. Names in `after`
/// that are not present do not matter. A cycle: the names on it go to `cycle` and are left out.
std::vector<const PluginFile*> order_plugins(const std::vector<PluginFile>& plugins,
                                             std::vector<std::string>* cycle);

/// "provider, extractor" …
std::string roles_text(std::uint32_t roles);

/// Where the running program finds its data: the checkout's root for a build tree, <prefix>/share/touchstone
/// installed.
std::string data_folder();

}  // namespace touchstone
