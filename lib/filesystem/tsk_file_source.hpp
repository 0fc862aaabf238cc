// The bytes of one attribute of one file, through TSK. Private to tsk_*.cpp.
#pragma once

#include "evidence/gap_list.hpp"
#include "filesystem/free_space.hpp"
#include "filesystem/tsk_handles.hpp"

namespace touchstone::detail {

/// Ranges of an attribute that lie in gaps of the image, as ranges of the attribute.
void add_image_gaps(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute, const std::vector<Gap>& image_gaps,
                    GapList& gaps);

class TskFileSource : public ByteSource, public Recovered {
 public:
  /// `image` and the file system of `file` outlive it; `attribute` belongs to `file`.
  TskFileSource(const TskImage& image, FileHandle file, const TSK_FS_ATTR& attribute,
                std::vector<ByteRange> overwritten);
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  /// Both what TSK could not read and what it read from gaps of the image.
  std::vector<Gap> gaps() const override;
  const std::vector<ByteRange>& overwritten() const override { return overwritten_; }

 private:
  const TskImage& image_;
  FileHandle file_;
  const TSK_FS_ATTR& attribute_;
  std::uint64_t size_;
  GapList gaps_;
  std::vector<ByteRange> overwritten_;
};

}  // namespace touchstone::detail
