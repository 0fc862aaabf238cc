#include "rules/rule_file.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <system_error>

namespace touchstone {
namespace fs = std::filesystem;

const char* to_text(RuleKind kind) {
  switch (kind) {
    case RuleKind::keywords:
      return "keywords";
    case RuleKind::order:
      return "order";
    case RuleKind::ranking:
      return "ranking";
    case RuleKind::apps:
      return "apps";
    case RuleKind::scope:
      return "scope";
    case RuleKind::case_file:
      return "case";
  }
  return "";
}

Result<std::vector<std::string>> find_rule_files(const std::string& root, RuleKind kind) {
  std::vector<std::string> out;
  const fs::path folder = fs::path(root) / to_text(kind);
  std::error_code code;
  if (!fs::exists(folder, code)) return out;
  fs::recursive_directory_iterator walk(folder, code);
  if (code) return Error{ErrorCode::io, fmt::format("{}: {}", folder.string(), code.message())};
  while (walk != fs::recursive_directory_iterator()) {
    const std::string name = walk->path().filename().string();
    const bool hidden = name.empty() || name[0] == '.';
    std::error_code ignored;
    if (hidden || walk.depth() > 8) {
      walk.disable_recursion_pending();
    } else if (walk->path().extension() == ".toml" && walk->is_regular_file(ignored)) {
      out.push_back(walk->path().string());
    }
    walk.increment(code);
    if (code) return Error{ErrorCode::io, fmt::format("{}: {}", folder.string(), code.message())};
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::string> read_rule_file(const std::string& path, std::uint64_t limit) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    return Error{ErrorCode::io, fmt::format("{}: is a folder, not a rule file", path)};
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::io, fmt::format("{}: {}", path, std::strerror(errno ? errno : EIO))};
  std::string bytes;
  std::array<char, 65536> block;
  while (file.read(block.data(), block.size()) || file.gcount() > 0) {
    bytes.append(block.data(), static_cast<std::size_t>(file.gcount()));
    if (bytes.size() > limit) {
      return Error{ErrorCode::limit,
                   fmt::format("{}: larger than {} bytes, which is the limit for rule files", path, limit)};
    }
  }
  if (file.bad()) return Error{ErrorCode::io, fmt::format("{}: cannot be read to its end", path)};
  return bytes;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string at_place(const std::string& file, SourcePlace place, std::string_view message) {
  if (place.line == 0) return fmt::format("{}: {}", file, message);
  if (place.column == 0) return fmt::format("{}:{}: {}", file, place.line, message);
  return fmt::format("{}:{}:{}: {}", file, place.line, place.column, message);
}

namespace {

/// Optimal string alignment: Levenshtein's distance, and neighbours swapped count as one slip. Words are
/// short.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(rows[0].begin(), rows[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    rows[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate.substr(0, 64));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

}  // namespace touchstone
