#include "filesystem/trees/tree_file_system.hpp"

#include <sys/stat.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "model/locator.hpp"

namespace touchstone {

Problem tree_problem(ProblemKind kind, std::string_view path, std::string message) {
  Problem problem;
  problem.plugin = "filesystem";
  problem.kind = kind;
  if (!path.empty()) message.insert(0, std::string(path) + ": ");
  problem.message = std::move(message);
  return problem;
}

std::string unix_mode_text(std::uint32_t mode) {
  std::string text(9, '-');
  for (unsigned i = 0; i < 9; ++i) {
    if ((mode >> (8 - i) & 1) != 0) text[i] = "rwx"[i % 3];
  }
  const auto special = [&](std::uint32_t bit, std::size_t at, char set, char set_without_x) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? set : set_without_x;
  };
  special(S_ISUID, 2, 's', 'S');
  special(S_ISGID, 5, 's', 'S');
  special(S_ISVTX, 8, 't', 'T');
  return text;
}

const char* unix_special_type(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "character_device";
    case S_IFBLK:
      return "block_device";
    default:
      return nullptr;
  }
}

Status TreeFileSystem::ready() {
  if (!filled_) {
    filled_ = true;
    status_ = fill(index_, fill_problems_);
    index_.finish();
  }
  return status_;
}

Status TreeFileSystem::list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
                            std::vector<Problem>& problems) {
  Status filled = ready();
  if (directory.path.empty()) problems.insert(problems.end(), fill_problems_.begin(), fill_problems_.end());
  if (!filled) return filled;
  const TreeIndex::Node at = index_.find_directory(directory.path);
  if (at == TreeIndex::kNone) {
    return Error{ErrorCode::not_found, directory.path + ": there is no such directory"};
  }
  const bool deepest = directory.ancestors.size() + 2 >= kMaxDirectoryDepth;
  for (const TreeIndex::Node node : index_.children(at)) {
    Entry entry;
    entry.name_raw = index_.name(node);
    entry.name = to_valid_utf8(entry.name_raw);
    entry.path = directory.path + '/' + escape_tree_component(entry.name_raw);
    entry.address_in_locator = false;
    entry.kind = index_.is_directory(node) ? ItemKind::directory : ItemKind::file;
    entry.descend = index_.is_entered(node) && !deepest;
    if (index_.is_entered(node)) entry.identity = std::to_string(node);
    if (index_.is_entered(node) && deepest) {
      problems.push_back(
          tree_problem(ProblemKind::limit, entry.path,
                       "directories are followed to a depth of " + std::to_string(kMaxDirectoryDepth)));
    }
    if (index_.place(node) == TreeIndex::kNoPlace) {
      entry.kind = ItemKind::virtual_;
      entry.detail = R"({"made_up":true})";
      entry.address = "d" + std::to_string(node);
    } else {
      entry.address = std::to_string(index_.place(node));
      describe(index_.place(node), entry, problems);
    }
    if (!sink(std::move(entry))) break;
  }
  return {};
}

Result<std::unique_ptr<ByteSource>> TreeFileSystem::open(const std::string& address) {
  std::uint64_t place = 0;
  const auto [end, error] = std::from_chars(address.data(), address.data() + address.size(), place);
  if (error != std::errc() || end != address.data() + address.size() || address.empty()) {
    return Error{ErrorCode::not_found, "\"" + address + "\" is no address of this tree"};
  }
  if (auto filled = ready(); !filled) return filled.error();
  return open_place(place);
}

}  // namespace touchstone
