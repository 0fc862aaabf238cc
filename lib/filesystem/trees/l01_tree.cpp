// The files of logical evidence (L01). Of an entry only its name and the place of its line are kept; the line
// is read again when it is listed or opened.
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "evidence/ewf_logical.hpp"
#include "evidence/exhibit_source.hpp"
#include "evidence/integers.hpp"
#include "filesystem/trees/l01_content.hpp"
#include "filesystem/trees/l01_list.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/trees.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

using namespace l01;

constexpr std::size_t kMaxPath = 64 * 1024;
constexpr std::size_t kOneLine = 2048;  // what most need
// Behind it, an entry that has children and bytes of its own.
constexpr std::string_view kOwnData = ":data";
constexpr std::string_view kOtherSlash = "\xe2\x88\x95";  // U+2215, since "/" separates here

std::string component(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '/') {
      text += kOtherSlash;
    } else {
      text.push_back(c);
    }
  }
  return text.empty() || text == "." || text == ".." ? "(unnamed)" : text;
}

class L01FileSystem : public TreeFileSystem {
 public:
  L01FileSystem(ByteSource& image, ByteSource& list) : TreeFileSystem("l01"), image_(image), list_(list) {}

 protected:
  Status fill(TreeIndex& index, std::vector<Problem>& problems) override;
  void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) override;
  Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) override;

 private:
  struct Level {
    std::uint64_t left = 0;  ///< entries that follow
    std::size_t path = 0;    ///< length of the path of their folder
  };
  bool find_entries(Lines& lines);
  void check_text(std::vector<Problem>& problems);
  bool add_entry(TreeIndex& index, const Values& values, std::uint64_t place, bool parent);
  // The lowest bit of a place tells the bytes of an entry that is a folder as well.
  static std::uint64_t place_of(std::uint64_t at, bool own_data) { return at << 1 | (own_data ? 1 : 0); }

  ByteSource& image_;
  ByteSource& list_;
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::string path_;
};

bool L01FileSystem::find_entries(Lines& lines) {
  std::string line;
  bool after_empty = true;
  for (std::size_t number = 0; lines.next(line); ++number) {
    // A category's name stands behind an empty line; the first behind the number of categories.
    if (after_empty && line == "entry") {
      lines.next(line);
      lines.next(line);
      const auto names = split(line, '\t');
      for (std::size_t i = 0; i < names.size(); ++i) columns_.emplace(names[i], i);
      return columns_.contains("n");
    }
    after_empty = line.empty() || number == 0;
  }
  return false;
}

/// The text has an MD5 in its header.
void L01FileSystem::check_text(std::vector<Problem>& problems) {
  std::vector<std::byte> header(kFileListHeader);
  const auto got = list_.read_at(0, header);
  const std::uint64_t size = little(header, 16, 8);
  if (!got || *got < header.size() || size > list_.size() - kFileListHeader) {
    problems.push_back(tree_problem(ProblemKind::corrupt, "", "the list of files is cut short"));
    return;
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  std::vector<std::byte> block(std::size_t{1} << 20);
  for (std::uint64_t done = 0; done < size;) {
    const auto read = list_.read_at(kFileListHeader + done, block);
    if (!read || *read == 0) break;
    const std::size_t part = std::min<std::uint64_t>(*read, size - done);
    EVP_DigestUpdate(context, block.data(), part);
    done += part;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  EVP_DigestFinal_ex(context, sum.data(), nullptr);
  EVP_MD_CTX_free(context);
  if (std::memcmp(sum.data(), header.data(), 16) != 0)
    problems.push_back(tree_problem(ProblemKind::integrity, "",
                                    "the list of files does not have the MD5 that stands before it: names, "
                                    "times and places of files may be wrong"));
}

bool L01FileSystem::add_entry(TreeIndex& index, const Values& values, std::uint64_t place, bool parent) {
  const bool folder = parent || values.text("p") == "1" || (values.number("opr") & kFolder) != 0;
  if (!index.add(path_, folder, place_of(place, false))) return false;
  if (!folder || values.number("ls") == 0) return true;
  return index.add(path_ + std::string(kOwnData), false, place_of(place, true));
}

Status L01FileSystem::fill(TreeIndex& index, std::vector<Problem>& problems) {
  check_text(problems);
  Lines lines(list_, kFileListHeader);
  if (!find_entries(lines)) return Error{ErrorCode::corrupt, "the list of files names no files"};
  std::string counts, line;
  std::vector<Level> levels = {{1, 0}};  // the one entry of the list itself
  std::size_t left_out = 0;
  bool first = true, full = false, cut = false;
  while (!levels.empty()) {
    if (levels.back().left == 0) {
      levels.pop_back();
      continue;
    }
    --levels.back().left;
    std::uint64_t below = 0;
    const bool there = lines.next(counts);
    const auto cells = split(counts, '\t');
    cut = !there || cells.size() < 2 || !read_number(cells[1], 10, below) || !lines.next(line) || lines.cut();
    if (cut) break;
    const Values values(columns_, line);
    path_.resize(levels.back().path);
    if (!first) path_ += '/' + component(values.text("n"));
    const bool kept = levels.size() < kMaxDirectoryDepth && path_.size() <= kMaxPath;
    if (!kept) ++left_out;
    if (kept && !first) full = !add_entry(index, values, lines.place(), below > 0);
    if (full) break;
    // Below what is left out the lines are still counted, in its place.
    if (below > 0 && kept) levels.push_back({below, path_.size()});
    if (below > 0 && !kept) levels.back().left += std::min(below, UINT64_MAX - levels.back().left);
    first = false;
  }
  if (cut)
    problems.push_back(tree_problem(ProblemKind::corrupt, "",
                                    "the list of files breaks off at byte " + std::to_string(lines.place()) +
                                        ": files that it names behind are missing"));
  if (full)
    problems.push_back(tree_problem(ProblemKind::limit, "",
                                    "the list has more files or longer names than can be kept (" +
                                        std::to_string(index.size()) + " are): the rest is left out"));
  if (left_out > 0)
    problems.push_back(tree_problem(ProblemKind::limit, "",
                                    std::to_string(left_out) + " files lie deeper than " +
                                        std::to_string(kMaxDirectoryDepth) + " folders and are left out"));
  return {};
}

std::optional<TimeUs> time_of(const Values& values, std::string_view column) {
  constexpr std::uint64_t kLatest = 253'402'300'799;  // end of the year 9999
  const std::uint64_t seconds = values.number(column);
  if (seconds == 0 || seconds > kLatest) return std::nullopt;
  return static_cast<TimeUs>(seconds) * 1'000'000;
}

nlohmann::json detail_of(const Values& values) {
  constexpr std::array<std::pair<Flag, const char*>, 9> kNames = {{{kReadOnly, "read-only"},
                                                                   {kHidden, "hidden"},
                                                                   {kSystem, "system"},
                                                                   {kArchive, "archive"},
                                                                   {kSymbolicLink, "symbolic link"},
                                                                   {kHardLinked, "hard link"},
                                                                   {kStream, "stream"},
                                                                   {kInternal, "internal"},
                                                                   {kUnallocated, "unallocated clusters"}}};
  nlohmann::json detail = nlohmann::json::object();
  const std::uint64_t flags = values.number("opr");
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) != 0) detail["attributes"].push_back(name);
  }
  if (const auto md5 = stored_digest(values, "ha", 32); !md5.empty()) detail["stored_md5"] = md5;
  if (const auto sha1 = stored_digest(values, "sha", 40); !sha1.empty()) detail["stored_sha1"] = sha1;
  if (const auto deleted = time_of(values, "dl")) detail["deleted_time"] = *deleted;
  if (const auto acquired = time_of(values, "aq")) detail["acquired_time"] = *acquired;
  // "13 FILE10~1.TXT": its length, then the name.
  const std::string_view short_name = values.text("snh");
  if (const auto space = short_name.find(' ');
      space != std::string_view::npos && space + 1 < short_name.size())
    detail["short_name"] = to_valid_utf8(short_name.substr(space + 1));
  const std::string name(values.text("n"));
  if (component(name) != name) detail["raw_name"] = escape_tree_component(name);
  return detail;
}

void L01FileSystem::describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) {
  Lines lines(list_, place >> 1, kOneLine);
  std::string line;
  if (!lines.next(line)) {
    problems.push_back(tree_problem(ProblemKind::corrupt, entry.path, "its line cannot be read again"));
    return;
  }
  const Values values(columns_, line);
  const bool own_data = (place & 1) != 0;
  if (own_data) entry.kind = ItemKind::stream;
  entry.has_content = entry.kind != ItemKind::directory;
  entry.size = entry.has_content ? values.number("ls") : 0;
  entry.times.created = time_of(values, "cr");
  entry.times.accessed = time_of(values, "ac");
  entry.times.modified = time_of(values, "wr");
  entry.times.changed = time_of(values, "mo");
  entry.allocated = (values.number("opr") & kDeleted) == 0;
  if (!entry.allocated && entry.has_content)
    entry.note = "deleted: its bytes are what could be read when the evidence was taken";
  const nlohmann::json detail = detail_of(values);
  if (!detail.empty()) entry.detail = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<ByteSource>> L01FileSystem::open_place(std::uint64_t place) {
  Lines lines(list_, place >> 1, kOneLine);
  std::string line;
  if (place >> 1 < kFileListHeader || !lines.next(line))
    return Error{ErrorCode::not_found, "the list of files has no such place"};
  return open_content(image_, Values(columns_, line));
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_l01_tree(ByteSource& exhibit) {
  auto* image = dynamic_cast<ExhibitSource*>(&exhibit);
  if (image == nullptr || image->file_list() == nullptr)
    return Error{ErrorCode::unsupported, "the exhibit is no logical evidence"};
  return std::unique_ptr<FileSystem>(std::make_unique<L01FileSystem>(exhibit, *image->file_list()));
}

}  // namespace touchstone
