#include "report/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "report/output.hpp"
#include "report/text.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

constexpr char kManifest[] = "manifest.sha256";

bool left_out(const std::string& relative) {
  // SQLite's side files come and go with whoever has the database open.
  const bool side_file = relative.ends_with(".db-wal") || relative.ends_with(".db-shm");
  return relative == kManifest || relative == "audit.jsonl" || relative == ".lock" ||
         relative.starts_with("log/") || side_file || relative.ends_with(".part");
}

Result<std::vector<std::string>> files_of(const fs::path& dir) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file(error) || it->is_symlink(error)) continue;
    std::string relative = it->path().lexically_relative(dir).generic_string();
    if (!left_out(relative)) paths.push_back(std::move(relative));
  }
  if (error) return Error{ErrorCode::io, dir.string() + ": " + error.message() + " (listing the folder)"};
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string manifest_line(const std::string& digest, const std::string& path) {
  if (path.find_first_of("\\\n\r") == std::string::npos) return digest + "  " + path + "\n";
  std::string escaped;
  for (const char c : path) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else {
      escaped += c;
    }
  }
  return "\\" + digest + "  " + escaped + "\n";
}

/// False where the line is none of a manifest.
bool parse_line(std::string line, std::string& digest, std::string& path) {
  const bool escaped = line.starts_with('\\');
  if (escaped) line.erase(0, 1);
  if (line.size() < 67 || line[64] != ' ' || (line[65] != ' ' && line[65] != '*')) return false;
  digest = line.substr(0, 64);
  if (digest.find_first_not_of("0123456789abcdef") != std::string::npos) return false;
  path.clear();
  for (std::size_t i = 66; i < line.size(); ++i) {
    if (escaped && line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      path += line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : line[i];
    } else {
      path += line[i];
    }
  }
  return true;
}

}  // namespace

Status write_manifest(const std::string& dir) {
  const auto paths = files_of(dir);
  if (!paths) return paths.error();
  report::OutputFile file(fs::path(dir) / kManifest);
  for (const auto& path : *paths) {
    const auto digest = report::sha256_of_file(fs::path(dir) / path);
    if (!digest) return digest.error();
    file.write(manifest_line(*digest, path));
  }
  return file.finish();
}

Result<std::vector<ManifestDifference>> verify_manifest(const std::string& dir) {
  const fs::path manifest_path = fs::path(dir) / kManifest;
  std::ifstream in(manifest_path, std::ios::binary);
  if (!in) return Error{ErrorCode::not_found, manifest_path.string() + ": no manifest there"};
  std::map<std::string, std::string> expected;
  std::string line, digest, path;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!parse_line(line, digest, path)) {
      return Error{ErrorCode::corrupt,
                   manifest_path.string() + ":" + std::to_string(number) + ": not a line of a manifest"};
    }
    expected[path] = digest;
  }
  const auto paths = files_of(dir);
  if (!paths) return paths.error();
  using Kind = ManifestDifference::Kind;
  std::vector<ManifestDifference> differences;
  const auto differs = [&](Kind kind, const std::string& name, const std::string& what) {
    differences.push_back({kind, name, report::visible_text(name) + ": " + what});
  };
  for (const auto& name : *paths) {
    const auto found = expected.find(name);
    if (found == expected.end()) {
      differs(Kind::unlisted, name, "not in the manifest");
      continue;
    }
    const auto actual = report::sha256_of_file(fs::path(dir) / name);
    if (!actual) {
      differs(Kind::unreadable, name, actual.error().message);
    } else if (*actual != found->second) {
      differs(Kind::changed, name, "SHA-256 is " + *actual + ", the manifest says " + found->second);
    }
    expected.erase(found);
  }
  for (const auto& [name, unused] : expected) differs(Kind::missing, name, "listed but not there");
  std::sort(differences.begin(), differences.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return differences;
}

}  // namespace touchstone
