// Who may know whom: each folder of lib/ includes only itself and those to its left, plugins only what is
// meant for them, and each foreign library stays behind the one door that it has.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "unit/house/sources.hpp"

namespace touchstone {
namespace {

constexpr std::array kOrder = {"model",    "evidence", "filesystem", "content", "rules", "plugin",
                               "casefile", "pipeline", "ranking",    "report",  "cli"};

std::optional<std::size_t> place_of(const std::string& module) {
  const auto found = std::find(kOrder.begin(), kOrder.end(), module);
  if (found == kOrder.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kOrder.begin());
}

/// Headers of foreign libraries: start of the name as included, and the starts of the paths that may include
/// them.
struct Door {
  const char* header;
  std::vector<std::string> files;
};
const std::vector<Door>& doors() {
  static const std::vector<Door> list = {
      {"tsk/",
       {"lib/filesystem/tsk_", "lib/filesystem/versions.cpp", "lib/filesystem/apfs_volumes.cpp",
        "lib/filesystem/snapshots_changes.cpp"}},
      {"magic.h", {"lib/content/content.cpp"}},
      {"hs/", {"lib/rules/", "plugins/carving/"}},
      {"toml++/", {"lib/rules/"}},
      {"seccomp.h", {"lib/pipeline/sandbox.cpp"}},
      {"sqlite3.h",
       {"lib/casefile/", "lib/content/database", "lib/content/functions/", "lib/filesystem/trees/itunes_",
        "lib/rules/app_check.cpp"}},
      {"phonenumbers/", {"lib/content/functions/phone_number.cpp"}},
      {"gmime/", {"plugins/mail/"}},
      {"libpff", {"plugins/mail/personal_store"}},
      {"qpdf/", {"plugins/documents/"}},
      {"plist/", {"lib/filesystem/trees/itunes_"}},
      {"expat.h", {"lib/filesystem/trees/ufdr_", "plugins/ufdr/"}},
      {"archive", {"plugins/archives/", "lib/evidence/filter_decoder.cpp", "lib/evidence/inflate.cpp"}},
      {"zip.h", {"plugins/archives/", "plugins/officetext/"}},
      {"poppler-", {"plugins/pdftext/"}},
      {"exiv2/", {"plugins/pictures/"}},
      {"boost/", {"cli/"}},
      {"opencv2/",
       {"lib/content/picture", "lib/pipeline/plan.cpp", "lib/pipeline/worker.cpp", "plugins/explicit/"}},
  };
  return list;
}

// Made when the project is built, in the folder of the module that includes them.
const std::map<std::string, std::string> kGenerated = {
    {"schema_sql.hpp", "casefile"}, {"previews_sql.hpp", "casefile"}, {"protocol.pb.h", "pipeline"}};

/// The module a file belongs to: "model" … "cli", "public" for installed headers, "plugins"; empty if none.
std::string module_of(const std::string& path) {
  if (path.starts_with("lib/include/touchstone/")) return "public";
  if (path.starts_with("plugins/")) return "plugins";
  if (path.starts_with("cli/")) return "cli";
  if (!path.starts_with("lib/")) return {};
  const std::string module = path.substr(4, path.find('/', 4) - 4);
  return place_of(module) ? module : std::string();
}

std::string quoted_fault(const std::string& path, const std::string& module, const std::string& header) {
  const std::size_t slash = header.find('/');
  if (slash == std::string::npos) {
    if (module == "plugins") return {};  // beside it, in the plugin's own folder
    const auto generated = kGenerated.find(header);
    return generated != kGenerated.end() && generated->second == module ? "" : "names no module";
  }
  const std::string target = header.substr(0, slash);
  const auto to = place_of(target);
  if (!to) return "\"" + target + "\" is no module";
  if (module == "plugins") {
    return *to <= *place_of("rules") && target != "filesystem"
               ? ""
               : "plugins may know model, evidence, content and rules, not " + target;
  }
  if (module == "public") return "installed headers may include only each other";
  return *to <= *place_of(module) ? "" : path + " may not know " + target + ", which is to its right";
}

/// What is wrong with one include of a file; empty if nothing.
std::string fault(const std::string& path, char opening, const std::string& header) {
  const std::string module = module_of(path);
  if (module.empty()) return "lies in no folder that the order names";
  if (header.find("..") != std::string::npos) return "climbs out of its folder";
  if (opening == '"') return quoted_fault(path, module, header);
  if (header.starts_with("touchstone/")) {
    const bool allowed =
        module == "public" || module == "plugins" || *place_of(module) >= *place_of("plugin");
    return allowed ? "" : "only plugin and what is to its right know the plugins' interface";
  }
  if (module == "public" && header.find('/') != std::string::npos)
    return "installed headers need nothing but the standard library";
  for (const Door& door : doors()) {
    if (!header.starts_with(door.header)) continue;
    const bool inside = std::any_of(door.files.begin(), door.files.end(),
                                    [&](const std::string& start) { return path.starts_with(start); });
    if (!inside) return "this library has its door elsewhere";
  }
  return {};
}

std::vector<std::string> faults(const test::SourceFile& file) {
  static const std::regex include("(?:^|\n)[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"\n]+)[>\"]");
  std::vector<std::string> found;
  for (auto i = std::sregex_iterator(file.text.begin(), file.text.end(), include);
       i != std::sregex_iterator(); ++i) {
    const std::string why = fault(file.path, *(*i)[1].first, (*i)[2].str());
    if (!why.empty()) found.push_back(file.path + " includes " + (*i)[2].str() + ": " + why);
  }
  return found;
}

TEST(IncludeDirection, EveryFileIncludesOnlyWhatIsToItsLeft) {
  const auto files = test::project_files({"lib", "cli", "plugins"}, {".cpp", ".hpp", ".h", ".c"});
  std::map<std::string, int> seen;
  int includes = 0;
  for (const test::SourceFile& file : files) {
    ++seen[module_of(file.path)];
    for (const std::string& each : faults(file)) ADD_FAILURE() << each;
    for (std::size_t at = 0; (at = file.text.find("#include", at)) != std::string::npos; ++at) ++includes;
  }
  for (const char* module : kOrder) EXPECT_GT(seen[module], 0) << module << ": nothing was read";
  EXPECT_GT(seen["plugins"], 5);
  EXPECT_EQ(seen["public"], 2);
  EXPECT_EQ(seen.count(""), 0U) << "a folder of lib/ that the order does not name";
  EXPECT_GT(includes, 500);
}

TEST(IncludeDirection, MadeUpFaultsAreFound) {
  const std::vector<test::SourceFile> bad = {
      {"lib/model/types.cpp", "#include \"evidence/digest.hpp\"\n"},
      {"lib/content/text.cpp", "// x\n  #  include \"plugin/session.hpp\"\n"},
      {"lib/casefile/finalise.cpp", "#include \"pipeline/triage.hpp\"\n"},
      {"lib/report/page.cpp", "#include \"cli/options.hpp\"\n"},
      {"lib/ranking/ranking.cpp", "#include \"report/page.hpp\"\n"},
      {"lib/content/content.cpp", "#include <touchstone/plugin.hpp>\n"},
      {"lib/content/content.cpp", "#include <tsk/libtsk.h>\n"},
      {"lib/filesystem/time_zone.cpp", "#include <tsk/libtsk.h>\n"},
      {"lib/filesystem/tsk_entry.cpp", "#include <gmime/gmime.h>\n"},
      {"lib/rules/glob.cpp", "#include \"../plugin/loader.hpp\"\n"},
      {"lib/rules/glob.cpp", "#include \"glob.hpp\"\n"},
      {"lib/link/link.cpp", "#include <vector>\n"},
      {"lib/include/touchstone/plugin.hpp", "#include <fmt/format.h>\n"},
      {"lib/include/touchstone/plugin.hpp", "#include \"model/types.hpp\"\n"},
      {"plugins/x/x.cpp", "#include \"plugin/session.hpp\"\n"},
      {"plugins/x/x.cpp", "#include \"casefile/sqlite.hpp\"\n"},
      {"plugins/x/x.cpp", "#include \"filesystem/filesystem.hpp\"\n"},
      {"plugins/x/x.cpp", "#include <sqlite3.h>\n"},
      {"cli/main.cpp", "#include \"unknown/thing.hpp\"\n"},
  };
  for (const test::SourceFile& file : bad)
    EXPECT_EQ(faults(file).size(), 1U) << file.path << ": " << file.text;
}

TEST(IncludeDirection, WhatIsAllowedIsLetThrough) {
  const std::vector<test::SourceFile> good = {
      {"lib/casefile/case_writer.cpp",
       "#include \"schema_sql.hpp\"\n#include \"casefile/sqlite.hpp\"\n#include \"model/types.hpp\"\n"},
      {"lib/plugin/job.hpp", "#include <touchstone/plugin_abi.h>\n#include \"content/text.hpp\"\n"},
      {"lib/filesystem/tsk_handles.hpp", "#include <tsk/libtsk.h>\n"},
      {"plugins/keywords/hits.cpp",
       "#include \"hits.hpp\"\n#include \"rules/keyword_matcher.hpp\"\n#include <touchstone/plugin.hpp>\n"},
      {"cli/triage.cpp",
       "#include \"report/report.hpp\"\n#include \"cli/command.hpp\"\n#include "
       "<boost/program_options.hpp>\n"},
  };
  for (const test::SourceFile& file : good) EXPECT_EQ(faults(file), std::vector<std::string>()) << file.path;
}

}  // namespace
}  // namespace touchstone
