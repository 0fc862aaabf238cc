// A file or block device read with pread on one descriptor, so that the sandbox may close the file system
// behind it. Bad sectors are zero-filled and listed. Holes of a sparse file are known and not read. One
// thread.
#pragma once

#include <string>

#include "evidence/byte_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone {

class FileSource : public ByteSource {
 public:
  /// Error io with path and reason: not there, not readable, a directory.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path);
  /// Takes over `descriptor`. `sparse`: the file may have holes, for which the file system is asked.
  FileSource(int descriptor, std::uint64_t size, bool sparse = false);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override;

 private:
  std::size_t skip_bad_block(std::uint64_t offset, std::span<std::byte> out);
  /// Finds the hole or the stretch of data that `offset` lies in; all is data where it cannot be told.
  void find_range(std::uint64_t offset);

  int descriptor_;
  std::uint64_t size_;
  bool sparse_;
  std::uint64_t range_from_ = 0, range_to_ = 0;
  bool is_hole_ = false;
  GapList gaps_;
};

}  // namespace touchstone
