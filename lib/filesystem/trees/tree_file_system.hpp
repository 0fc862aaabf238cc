// A FileSystem over a TreeIndex: what readers of archives and backups have in common. The index is filled
// once, when first needed (each worker fills its own); what was wrong with it is told when the root is
// listed, so that it is told once. One thread.
//
// A reader derives from it, adds its entries in fill(), describes one in describe() and opens one in
// open_place(). Its entries' addresses need not be in locators: list() leaves Entry::address_in_locator
// false.
#pragma once

#include <string>
#include <vector>

#include "filesystem/filesystem.hpp"
#include "filesystem/trees/tree_index.hpp"

namespace touchstone {

class TreeFileSystem : public FileSystem {
 public:
  const std::string& type() const override { return type_; }
  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) final;
  /// Takes the address that list() gave: the place in decimal.
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override;

 protected:
  explicit TreeFileSystem(std::string type) : type_(std::move(type)) {}

  /// Adds all entries to `index`. An Error means that nothing can be listed at all; damage and limits are
  /// Problems. Called once; finish() is called afterwards.
  virtual Status fill(TreeIndex& index, std::vector<Problem>& problems) = 0;
  /// Fills kind (file, or directory and so on), has_content, size, times and detail of the entry at `place`.
  /// Already set: path, name_raw, name, address, kind (file or directory), descend. Not called for
  /// directories that were made up.
  virtual void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) = 0;
  /// The bytes of the entry at `place`, which may be any number that evidence could forge.
  virtual Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) = 0;

  /// Fills the index if that has not been done; the error of doing so, each time.
  Status ready();
  const TreeIndex& index() const { return index_; }

 private:
  std::string type_;
  TreeIndex index_;
  bool filled_ = false;
  Status status_;
  std::vector<Problem> fill_problems_;
};

/// A Problem of plugin "filesystem" with `path` (escaped, may be empty) before its text.
Problem tree_problem(ProblemKind kind, std::string_view path, std::string message);
/// "rw-r--r--" of the lower twelve bits of a Unix mode.
std::string unix_mode_text(std::uint32_t mode);
/// "fifo", "socket", "character_device", "block_device" of a Unix mode's type bits; null for others.
const char* unix_special_type(std::uint32_t mode);

}  // namespace touchstone
