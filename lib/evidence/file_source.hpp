// A file or block device read with pread on one descriptor, so that the sandbox may close the file system
// behind it. Bad sectors are zero-filled and listed. One thread.
#pragma once

#include <string>

#include "evidence/byte_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone {

class FileSource : public ByteSource {
 public:
  /// Error io with path and reason: not there, not readable, a directory.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path);
  /// Takes over `descriptor`.
  FileSource(int descriptor, std::uint64_t size);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  std::vector<Gap> gaps() const override;

 private:
  std::size_t skip_bad_block(std::uint64_t offset, std::span<std::byte> out);

  int descriptor_;
  std::uint64_t size_;
  GapList gaps_;
};

}  // namespace touchstone
