// The directories of something that only lists paths: an archive, a backup's table of files. Paths go in,
// finish() sorts them, directories come out; parents that nothing names are made up. Evidence's names are
// only names here: they are brought inside the tree and none gets lost.
// One thread. What an entry is besides its name stays with the reader, which gets its `place` back.
// Memory: about 40 bytes an entry and its name (docs/limits.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone {

/// The components of a path as evidence gives it, inside the tree: "/" separates, empty ones and "." are left
/// out, ".." takes one away but never leads above the root. Empty: the root itself.
std::vector<std::string_view> tree_components(std::string_view path);
/// One component as it stands in a locator's path: escaped, a "/" too.
std::string escape_tree_component(std::string_view raw);
/// True if tree_components(path) joined by "/" is not just `path` (but for slashes at its ends): then the
/// reader keeps the original in Entry::detail.
bool tree_path_changed(std::string_view path);

class TreeIndex {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr std::uint64_t kNoPlace = UINT64_MAX;  ///< of a directory that was made up
  static constexpr std::size_t kMaxEntries = 8'000'000;
  static constexpr std::size_t kMaxNameBytes = std::size_t{1} << 30;

  TreeIndex();
  /// Adds what stands at `path` (raw bytes, see tree_components()). `place` is how the reader finds it again.
  /// The same path twice gives twins, in the order of adding; a directory that was made up or stands twice is
  /// one directory to enter, and each further naming of it an entry that is not entered. A file whose path
  /// leads to the root is called "(unnamed)"; a directory that does is nothing new. False: the index is full
  /// and `path` is not in it (the reader says so in a Problem).
  bool add(std::string_view path, bool directory, std::uint64_t place);
  /// After the last add() and before any look.
  void finish();

  /// By the path of a DirectoryRef ("" is the root; escaped); kNone if there is no such directory.
  Node find_directory(std::string_view escaped_path) const;
  /// Everything that add() put at this raw path, in the order of adding.
  std::span<const Node> find_all(std::string_view path) const;
  /// Ordered by the bytes of their names, twins by the order of adding.
  std::span<const Node> children(Node directory) const;
  std::string_view name(Node node) const;
  bool is_directory(Node node) const { return (nodes_[node].flags & kDirectory) != 0; }
  /// A directory that can be entered: not the second of two of the same path.
  bool is_entered(Node node) const { return (nodes_[node].flags & kEntered) != 0; }
  /// kNoPlace where the directory was made up.
  std::uint64_t place(Node node) const { return nodes_[node].place; }
  /// Entries and made-up directories, without the root.
  std::size_t size() const { return nodes_.size() - 1; }

 private:
  static constexpr std::uint32_t kDirectory = 1, kEntered = 2;
  struct NodeData {
    std::uint64_t place = kNoPlace;
    std::uint32_t parent = 0;
    std::uint32_t name_offset = 0, name_size = 0;
    std::uint32_t first_child = 0, children = 0;  ///< a stretch of sorted_
    std::uint32_t flags = 0;
  };
  Node make(Node parent, std::string_view name, std::uint32_t flags, std::uint64_t place);
  std::size_t slot_of(Node parent, std::string_view name) const;
  Node find(Node parent, std::string_view name) const;
  void remember(Node directory);

  std::vector<NodeData> nodes_;
  std::string names_;
  std::vector<Node> sorted_;
  std::vector<Node> table_;  ///< open addressing; directories that are entered, by parent and name
  std::size_t directories_ = 0;
};

}  // namespace touchstone
