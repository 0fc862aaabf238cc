#include "rules/hash_list.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace touchstone {
namespace {

// A line of a hash list holds a digest and a path; PATH_MAX is 4 KiB, so anything longer is no such line.
constexpr std::size_t kMaxLine = 64U << 10U;

struct Digest {
  DigestKind kind = DigestKind::md5;
  std::array<std::uint8_t, 32> bytes{};
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<Digest> parse_digest(std::string_view hex) {
  Digest out;
  if (hex.size() == 32) {
    out.kind = DigestKind::md5;
  } else if (hex.size() == 40) {
    out.kind = DigestKind::sha1;
  } else if (hex.size() == 64) {
    out.kind = DigestKind::sha256;
  } else {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.bytes[i / 2] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  return from == std::string_view::npos ? std::string_view()
                                        : text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

/// "SHA-256", "sha_256" and "Sha256" are one name.
std::string plain_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if (c != '-' && c != '_' && c != ' ') {
      out += c;
    }
  }
  return out;
}

bool is_digest_name(std::string_view plain) {
  for (const std::string_view name : {"md5", "sha1", "sha256", "hash", "md5hash", "sha1hash", "sha256hash",
                                      "hashmd5", "hashsha1", "hashsha256"}) {
    if (plain == name) return true;
  }
  return false;
}

/// The fields of one record (RFC 4180); nothing if a quoted field has no end.
std::optional<std::vector<std::string>> split_csv(std::string_view text, char separator) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        out.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        out.back() += c;
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && out.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return out;
}

/// Lines of a stream, bounded, while the bytes are digested.
class LineReader {
 public:
  explicit LineReader(std::istream& input) : input_(input), digest_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr);
  }

  /// False at the end. `too_long` lines come without their text.
  bool next(std::string& line, bool& too_long) {
    line.clear();
    too_long = false;
    bool any = false;
    while (true) {
      if (at_ == size_ && !fill()) break;
      any = true;
      const char* begin = block_.data() + at_;
      const void* end = std::memchr(begin, '\n', size_ - at_);
      const std::size_t length =
          end ? static_cast<std::size_t>(static_cast<const char*>(end) - begin) : size_ - at_;
      too_long = too_long || line.size() + length > kMaxLine;
      if (too_long) {
        line.clear();
      } else {
        line.append(begin, length);
      }
      at_ += length + (end ? 1 : 0);
      if (end) break;
    }
    return any;
  }

  std::string sha256() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(digest_.get(), digest.data(), &size);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
  }

 private:
  bool fill() {
    input_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    size_ = static_cast<std::size_t>(input_.gcount());
    at_ = 0;
    if (size_) EVP_DigestUpdate(digest_.get(), block_.data(), size_);
    return size_ > 0;
  }

  std::istream& input_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest_;
  std::vector<char> block_ = std::vector<char>(1U << 20U);
  std::size_t at_ = 0, size_ = 0;
};

class HashListReader {
 public:
  HashListReader(std::istream& input, HashList& out) : lines_(input), out_(out) {}

  void run() {
    std::string line;
    bool too_long = false;
    bool first = true;
    while (lines_.next(line, too_long)) {
      ++number_;
      if (first && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
      if (too_long) {
        refuse("longer than 64 KiB");
        continue;
      }
      while (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.find_first_not_of(" \t") == std::string::npos) continue;
      if (first) {
        first = false;
        if (header(line)) continue;
      }
      one(line);
    }
    out_.sha256 = lines_.sha256();
    out_.md5.finish();
    out_.sha1.finish();
    out_.sha256s.finish();
  }

 private:
  enum class Layout { lines, hashdeep, csv };

  void refuse(std::string_view why) {
    if (out_.refused++ == 0) out_.first_refused = fmt::format("{}:{}:1: {}", out_.path, number_, why);
  }

  void add(const Digest& digest) {
    DigestSet& set = digest.kind == DigestKind::md5    ? out_.md5
                     : digest.kind == DigestKind::sha1 ? out_.sha1
                                                       : out_.sha256s;
    set.add(digest.bytes.data());
  }

  void accept(const Digest& digest, const char* format) {
    add(digest);
    ++out_.lines;
    if (out_.format.empty()) out_.format = format;
  }

  /// Whether the first line tells the layout of the others.
  bool header(std::string_view line) {
    if (line.starts_with("%%%% HASHDEEP-")) {
      layout_ = Layout::hashdeep;
      return true;
    }
    for (const char separator : {',', ';', '\t'}) {
      const auto fields = split_csv(line, separator);
      if (!fields || fields->size() < 2) continue;
      for (std::size_t i = 0; i < fields->size(); ++i) {
        if (is_digest_name(plain_name((*fields)[i]))) columns_.push_back(i);
      }
      if (columns_.empty()) continue;
      separator_ = separator;
      layout_ = Layout::csv;
      return true;
    }
    // A column of nothing but digests under its name.
    return is_digest_name(plain_name(line));
  }

  void one(std::string& line) {
    if (layout_ == Layout::csv) {
      csv_record(line);
    } else if (layout_ == Layout::hashdeep) {
      hashdeep_line(line);
    } else if (line[0] != '#') {
      plain_line(line);
    }
  }

  /// A quoted field may hold line ends: such a record goes on in the lines after it.
  void csv_record(std::string& line) {
    auto fields = split_csv(line, separator_);
    std::string more;
    bool too_long = false;
    const std::uint64_t began = number_;
    while (!fields && line.size() < kMaxLine && lines_.next(more, too_long) && !too_long) {
      ++number_;
      line += '\n' + more;
      fields = split_csv(line, separator_);
    }
    if (!fields) {
      number_ = std::max(number_, began);
      return refuse("a quoted field has no end");
    }
    bool any = false;
    for (const std::size_t column : columns_) {
      if (column >= fields->size()) continue;
      const auto digest = parse_digest(trimmed((*fields)[column]));
      if (!digest) continue;
      if (any) {
        add(*digest);
      } else {
        accept(*digest, "csv");
      }
      any = true;
    }
    if (!any) refuse("no digest in the columns that the header names");
  }

  void hashdeep_line(std::string_view line) {
    if (line.starts_with("%%%% ")) {
      columns_.clear();
      const auto names = split_csv(line.substr(5), ',');
      if (!names || names->front() != "size")
        return refuse("hashdeep's second line must begin with \"%%%% size\"");
      for (std::size_t i = 0; i < names->size(); ++i) {
        if (is_digest_name(plain_name((*names)[i]))) columns_.push_back(i);
      }
      return;
    }
    if (line[0] == '#') return;
    if (columns_.empty()) return refuse("hashdeep's line of column names is missing");
    // Nothing is quoted; what follows the last digest is the file's name, commas and all.
    bool all = true, any = false;
    std::size_t column = 0, from = 0;
    for (const std::size_t wanted : columns_) {
      while (column < wanted && from != std::string_view::npos) {
        from = line.find(',', from);
        if (from != std::string_view::npos) ++from;
        ++column;
      }
      const auto digest =
          from == std::string_view::npos
              ? std::nullopt
              : parse_digest(line.substr(from, std::min(line.find(',', from), line.size()) - from));
      all = all && digest;
      if (!digest) continue;
      if (any) {
        add(*digest);
      } else {
        accept(*digest, "hashdeep");
      }
      any = true;
    }
    if (!any || !all) refuse("not the columns that the header names");
  }

  void plain_line(std::string_view line) {
    if (const auto digest = bsd_line(line)) return accept(*digest, "bsd");
    std::string_view rest = line;
    const std::size_t colon = rest.find(':');
    if (colon != std::string_view::npos) {
      const std::string_view after = rest.substr(colon + 1);
      const std::string_view size = after.substr(0, after.find(':'));
      const bool numeric =
          size == "*" || (!size.empty() && size.find_first_not_of("0123456789") == std::string_view::npos);
      const auto digest = parse_digest(rest.substr(0, colon));
      if (digest && numeric && size.size() < after.size()) return accept(*digest, "clamav");
    }
    rest = trimmed(rest);
    if (rest.starts_with('\\')) rest.remove_prefix(1);  // coreutils: the name holds escapes
    std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    const bool is_size = word.size() < 20 && word.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_size && word.size() < rest.size()) {  // md5deep -z
      rest = trimmed(rest.substr(word.size()));
      word = rest.substr(0, rest.find_first_of(" \t"));
    }
    const auto digest = parse_digest(word);
    if (digest) return accept(*digest, word.size() == rest.size() ? "plain" : "sums");
    const bool hex =
        !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return hex_value(c) >= 0; });
    refuse(hex ? "no MD5, SHA-1 or SHA-256 digest: they have 32, 40 or 64 hexadecimal digits"
               : "not a line of a hash list");
  }

  /// "MD5 (name) = hex", and as openssl writes it: "SHA256(name)= hex".
  static std::optional<Digest> bsd_line(std::string_view line) {
    const std::size_t open = line.find('('), equals = line.rfind("= ");
    if (open == std::string_view::npos || open > 12 || equals == std::string_view::npos || equals < open)
      return std::nullopt;
    const std::string name = plain_name(line.substr(0, open));
    const auto digest = parse_digest(trimmed(line.substr(equals + 2)));
    if (!digest || (name != to_text(digest->kind) && name != "sha2256")) return std::nullopt;
    return digest;
  }

  LineReader lines_;
  HashList& out_;
  Layout layout_ = Layout::lines;
  char separator_ = ',';
  std::vector<std::size_t> columns_;
  std::uint64_t number_ = 0;
};

}  // namespace

const char* to_text(DigestKind kind) {
  return kind == DigestKind::md5 ? "md5" : kind == DigestKind::sha1 ? "sha1" : "sha256";
}

DigestSet::DigestSet(DigestKind kind) {
  if (kind == DigestKind::sha1) digests_.emplace<1>();
  if (kind == DigestKind::sha256) digests_.emplace<2>();
}

void DigestSet::add(const std::uint8_t* digest) {
  std::visit([&](auto& list) { std::memcpy(list.emplace_back().data(), digest, sizeof(list.front())); },
             digests_);
}

void DigestSet::finish() {
  std::visit(
      [](auto& list) {
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
        list.shrink_to_fit();
      },
      digests_);
}

bool DigestSet::contains(const std::uint8_t* digest) const {
  return std::visit(
      [&](const auto& list) {
        typename std::decay_t<decltype(list)>::value_type wanted;
        std::memcpy(wanted.data(), digest, sizeof(wanted));
        return std::binary_search(list.begin(), list.end(), wanted);
      },
      digests_);
}

std::size_t DigestSet::size() const {
  return std::visit([](const auto& list) { return list.size(); }, digests_);
}

const std::uint8_t* DigestSet::at(std::size_t index) const {
  return std::visit([&](const auto& list) { return list[index].data(); }, digests_);
}

bool HashList::contains(std::string_view md5_hex, std::string_view sha1_hex, std::string_view sha256_hex,
                        DigestKind* kind) const {
  for (const std::string_view hex : {sha256_hex, sha1_hex, md5_hex}) {
    const auto digest = parse_digest(hex);
    if (!digest) continue;
    const DigestSet& set = digest->kind == DigestKind::md5    ? md5
                           : digest->kind == DigestKind::sha1 ? sha1
                                                              : sha256s;
    if (!set.contains(digest->bytes.data())) continue;
    if (kind) *kind = digest->kind;
    return true;
  }
  return false;
}

Result<HashList> read_hash_list(std::istream& input, const std::string& name, const std::string& category) {
  HashList out;
  out.path = name;
  out.name = std::filesystem::path(name).stem().string();
  out.category = category;
  HashListReader(input, out).run();
  if (input.bad()) return Error{ErrorCode::io, fmt::format("{}: cannot be read to its end", name)};
  if (out.lines == 0) {
    return Error{ErrorCode::invalid,
                 fmt::format("{}: no line of a hash list in it{}", name,
                             out.first_refused.empty() ? "" : "; first: " + out.first_refused)};
  }
  return out;
}

Result<HashList> load_hash_list(const std::string& path, const std::string& category) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    return Error{ErrorCode::io, fmt::format("{}: is a folder", path)};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::io, fmt::format("{}: {}", path, std::strerror(errno ? errno : EIO))};
  return read_hash_list(file, path, category);
}

}  // namespace touchstone
